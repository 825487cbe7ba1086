#!/bin/sh
# One node of an ensemble: NODE is its number, NODES the hosts in the order of their numbers.
set -eu
config=/data/zoo.cfg
{
    printf '%s\n' tickTime=500 initLimit=10 syncLimit=5 dataDir=/data clientPort=2181 admin.enableServer=false \
        '4lw.commands.whitelist=ruok,srvr,mntr'
    number=0
    for host in $NODES; do
        number=$((number + 1))
        printf 'server.%s=%s:2888:3888\n' "$number" "$host"
    done
} > "$config"
printf '%s\n' "$NODE" > /data/myid
exec java -Xmx128m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp /usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar \
    org.apache.zookeeper.server.quorum.QuorumPeerMain "$config"
