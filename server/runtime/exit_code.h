/* The exit codes that the daemons promise; 74 is EX_IOERR of sysexits.h. */
#ifndef SERVER_RUNTIME_EXIT_CODE_H_
#define SERVER_RUNTIME_EXIT_CODE_H_

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_START_FAILURE = 1, /* port taken, file not writable, file locked */
    EXIT_CODE_USAGE = 2,         /* a bad option or value */
    EXIT_CODE_IO_FAILURE = 74,   /* what was promised could not be stored */
};

#endif /* SERVER_RUNTIME_EXIT_CODE_H_ */
