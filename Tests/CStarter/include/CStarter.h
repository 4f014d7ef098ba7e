#pragma once

/// Serves requests on a socket until it is closed: each starts a child process, which returns from this function with its
/// arguments, ended by NULL. It may only be called by a process with a single thread.
char **starter_serve(int socket);

/// Makes a connected pair of sockets, which are closed by `exec`.
/// @return 0 or -1.
int starter_pair(int sockets[2]);

/// Requests a process.
/// @param words Its working directory and its arguments, each ended by a zero byte.
/// @param files Its standard input, output and error, and the end of a pipe that gets its status as `waitpid` returns it.
/// @return 0; or -1 if the request cannot be sent, for example since it is too long.
int starter_request(int socket, const char *words, int length, const int files[4]);
