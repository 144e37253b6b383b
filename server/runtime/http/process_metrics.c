#include "server/runtime/http/process_metrics.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/runtime/os.h"

enum { STATM_CAPACITY = 128 };

/* Bytes in memory; 0 where the system does not tell. */
static double resident_size(void) {
    char line[STATM_CAPACITY] = "";
    int fd = os_open("/proc/self/statm", O_RDONLY, 0);
    if (fd < 0) {
        return 0;
    }
    ssize_t size = os_read(fd, line, sizeof line - 1);
    (void)os_close(fd);
    if (size <= 0) {
        return 0;
    }
    char *rest;
    (void)strtoull(line, &rest, 10); /* the size of the address space */
    return (double)strtoull(rest, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

static double seconds(const struct timeval *time) {
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

void process_metrics_add(struct daemon_status *status, int64_t uptime_ms) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        status_add(status,
                   &(struct metric){.name = "process_cpu_seconds_total",
                                    .help = "Processor time of the process in seconds",
                                    .kind = METRIC_COUNTER,
                                    .value = seconds(&usage.ru_utime) + seconds(&usage.ru_stime)});
    }
    status_add_gauge(status, "process_resident_memory_bytes", "Memory of the process in bytes",
                     resident_size());
    status_add_gauge(status, "process_start_time_seconds",
                     "When the process started, in seconds since 1970",
                     (double)time(NULL) - (double)uptime_ms / 1e3);
}
