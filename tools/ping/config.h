/* config.h: what a run of cqlping is to do. */
#ifndef PING_CONFIG_H
#define PING_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define PING_NAME "cqlping"

typedef enum ping_output { PING_PEOPLE, PING_JSON, PING_NAGIOS, PING_FIGURES } ping_output;

typedef struct ping_config {
    uint64_t count;       /* probes for each target; 0: until interrupted */
    uint64_t interval_ms; /* from the start of one probe to that of the next */
    uint64_t answer_ms;   /* a probe without an answer after this is lost */
    uint64_t wait_ms;     /* keep trying the first connection for so long; 0: do not */
    bool quiet;
    bool all;     /* every node of the cluster instead of those named */
    bool live;    /* as a table that is drawn over itself */
    bool verbose; /* the library's log on standard error */
    ping_output output;
    uint64_t warning_us, critical_us; /* of --nagios; 0: not given */
} ping_config;

#endif
