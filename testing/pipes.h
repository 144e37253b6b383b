// The pipes, or the terminal, between a test and a process.
//
// Ownership: the descriptors are the caller's. Threading: stateless.
#ifndef TESTING_PIPES_H_
#define TESTING_PIPES_H_

namespace harness {

struct Pipe {
    int read_end = -1;
    int write_end = -1;
};

// Both throw std::system_error when there is none.
Pipe OpenPipe();
// A terminal in place of a pipe: the read end gets what is written to it.
Pipe OpenTerminal(unsigned short column_count);

void CloseIfOpen(int *descriptor);

// Fills the pipe to the last byte. The descriptor blocks again afterwards: the flag belongs to the
// open file, which the child shares.
void FillPipe(int write_end);

} // namespace harness

#endif // TESTING_PIPES_H_
