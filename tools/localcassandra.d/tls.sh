# shellcheck shell=bash
# One certificate authority for every cluster of the state folder, one client
# certificate, and a certificate per node. They are for trials on this machine.

TLS_DAYS=3650

tls_folder() {
    echo "$LC_HOME/tls"
}

new_key() {
    (umask 077 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
        -out "$1" 2>/dev/null)
}

# sign KEY CERT SUBJECT EXTENSIONS: a certificate from the authority.
sign() {
    openssl req -new -key "$1" -subj "/O=localcassandra/CN=$3" 2>/dev/null |
        openssl x509 -req -days "$TLS_DAYS" -sha256 -CA "$(tls_folder)/ca.pem" \
            -CAkey "$(tls_folder)/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
            -extfile <(printf '%s\n' "basicConstraints=critical,CA:FALSE" \
                "keyUsage=critical,digitalSignature,keyEncipherment" "$4") \
            -out "$2" 2>/dev/null
}

make_authority() {
    local folder
    folder=$(tls_folder)
    new_key "$folder/ca.key" &&
        openssl req -x509 -new -key "$folder/ca.key" -sha256 -days "$TLS_DAYS" \
            -subj "/O=localcassandra/CN=localcassandra authority" \
            -addext "basicConstraints=critical,CA:TRUE" \
            -addext "keyUsage=critical,keyCertSign,cRLSign" \
            -out "$folder/ca.pem" 2>/dev/null
}

make_client() {
    local folder
    folder=$(tls_folder)
    new_key "$folder/client.key" &&
        sign "$folder/client.key" "$folder/client.pem" "client" "extendedKeyUsage=clientAuth"
}

# The authority and the client's certificate; made once. The client's
# certificate is written last and so tells that all is there.
ensure_authority() {
    local folder
    folder=$(tls_folder)
    [ -s "$folder/client.pem" ] && return 0
    need openssl openssl
    take_lock tls
    if [ ! -s "$folder/client.pem" ]; then
        mkdir -p "$folder" && make_authority && make_client ||
            die "openssl could not make the certificates in $folder"
    fi
    release_lock
}

# The node's key and certificate in one file, as Cassandra's PEM reader wants it.
ensure_node_certificate() {
    local folder names
    folder=$(node_folder "$1")/conf
    [ -s "$folder/node.pem" ] && return 0
    names="DNS:$C_TLS_DNS"
    [ -n "$C_TLS_DNS" ] || names="IP:$(address_of "$1"),DNS:localhost,DNS:node$1.localcassandra"
    new_key "$folder/node.key" &&
        sign "$folder/node.key" "$folder/node.crt" "node$1.localcassandra" \
            "$(printf '%s\n%s' "extendedKeyUsage=serverAuth,clientAuth" "subjectAltName=$names")" &&
        (umask 077 && cat "$folder/node.key" "$folder/node.crt" \
            "$(tls_folder)/ca.pem" >"$folder/node.pem.new") &&
        mv "$folder/node.pem.new" "$folder/node.pem" ||
        die "openssl could not make the certificate of node $1 in $folder"
}

# Releases before 4.1 read no PEM: the same in Java's own stores, with a password that guards nothing.
ensure_stores() {
    local folder
    folder=$(node_folder "$1")/conf
    [ -s "$folder/trust.p12" ] && return 0
    need keytool openjdk-17-jre-headless
    (umask 077 && openssl pkcs12 -export -inkey "$folder/node.key" -in "$folder/node.crt" \
        -certfile "$(tls_folder)/ca.pem" -name node -passout pass:cassandra -out "$folder/node.p12") &&
        rm -f "$folder/trust.p12.new" &&
        keytool -importcert -noprompt -alias ca -file "$(tls_folder)/ca.pem" -storetype PKCS12 \
            -storepass cassandra -keystore "$folder/trust.p12.new" >/dev/null 2>&1 &&
        mv "$folder/trust.p12.new" "$folder/trust.p12" ||
        die "the stores of node $1's certificate could not be made in $folder"
}

# What cassandra.yaml says of where key and certificates are.
tls_files() {
    local folder
    folder=$(node_folder "$1")/conf
    case $C_VERSION in
    4.0 | 3.11)
        printf '%s' "keystore: \"$folder/node.p12\", keystore_password: cassandra," \
            " truststore: \"$folder/trust.p12\", truststore_password: cassandra"
        ;;
    *)
        printf '%s' "ssl_context_factory: {class_name:" \
            " org.apache.cassandra.security.PEMBasedSslContextFactory}," \
            " keystore: \"$folder/node.pem\", truststore: \"$(tls_folder)/ca.pem\""
        ;;
    esac
}

# The lines of cassandra.yaml for C_TLS.
tls_settings() {
    local optional=true require=false
    [ "$C_TLS" = off ] && return 0
    [ "$C_TLS" != optional ] && optional=false
    [ "$C_TLS" = mutual ] && require=true
    printf '%s\n' "client_encryption_options: {enabled: true, optional: $optional, \
require_client_auth: $require, $(tls_files "$1")}"
}
