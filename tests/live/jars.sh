# shellcheck shell=bash
# For live test scripts that run a Java program beside Cassandra: its jars, fetched once with Maven.
#
#   fetch_jars NAME GROUP:ARTIFACT:VERSION...   sets JARS, a folder; skips the script without Maven, or where Maven
#                                               gets nothing
#   find_free_port                              sets PORT

# run_maven FOLDER: what its pom.xml names, with what that needs, into its lib.
run_maven() {
    mvn -B -q -f "$1/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        "-DoutputDirectory=$1/lib" </dev/null >"$1/mvn.log" 2>&1
}

fetch_jars() {
    local name=$1 cache part item rest
    shift
    cache=${LOCALCASSANDRA_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/localcassandra}/cache
    JARS=$cache/$name
    [ -d "$JARS" ] && return 0
    command -v mvn >/dev/null || skip_all "Maven is missing"
    part=$cache/$name.part.$$
    mkdir -p "$part"
    {
        echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        echo "<groupId>tests</groupId><artifactId>$name</artifactId><version>1</version>"
        echo '<packaging>pom</packaging><dependencies>'
        for item; do
            rest=${item#*:}
            echo "<dependency><groupId>${item%%:*}</groupId><artifactId>${rest%%:*}</artifactId>"
            echo "<version>${rest#*:}</version></dependency>"
        done
        echo '</dependencies></project>'
    } >"$part/pom.xml"
    # What was fetched by the time something went wrong is not fetched again.
    run_maven "$part" || run_maven "$part" || {
        tail -n 15 "$part/mvn.log"
        rm -rf "$part"
        skip_all "Maven cannot fetch $name here"
    }
    # two runs may have fetched it at once: the first to finish stays
    mv -T "$part/lib" "$JARS" 2>/dev/null || [ -d "$JARS" ] || fail "cannot keep $JARS"
    rm -rf "$part"
}

find_free_port() {
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}
