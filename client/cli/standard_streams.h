// These functions handle the standard streams as file descriptors: whole writes, and whether a
// stream can be written at all.
#pragma once

#include <string_view>

namespace pictory_jobs::cli {

// Is called first in main(). A stream that is closed gets a placeholder which can be neither read
// nor written, or the first socket would take its number and with it what is meant for people. A
// write that fails becomes an error instead of a signal.
void PrepareStandardStreams();

// Writes all of it, also where `fd` does not block. 0, or the errno of the write that failed.
int WriteAll(int fd, std::string_view bytes);

// Why a write to `fd` would fail, as far as that shows without one: 0, or an errno. Where `fd` is a
// file this reserves the room a short answer needs, so that a disk which is full shows.
int WhyUnwritable(int fd);

// Asks for an error that a file system tells no earlier than when a file is closed, as NFS does of
// a full disk: 0, or an errno. `fd` stays open.
int Settle(int fd);

}  // namespace pictory_jobs::cli
