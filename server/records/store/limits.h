/*
 * The limits of what stores are given, with their reasons.
 */
#ifndef SERVER_RECORDS_STORE_LIMITS_H_
#define SERVER_RECORDS_STORE_LIMITS_H_

enum {
    /* The most records in one transaction. */
    RECORDS_BATCH_MAX = 8192,

    /* Writer threads. More connections than this do not make a database faster. */
    RECORDS_WORKERS_MAX = 64,
};

#endif /* SERVER_RECORDS_STORE_LIMITS_H_ */
