#include "CStarter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/// The bytes of a request; a socket takes about twice as much.
enum { capacity = 100000, fileCount = 4 };

union Control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(fileCount * sizeof(int))];
};

int starter_pair(int sockets[2]) {
#if defined(__linux__)
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets);
#else
  // A process of a macOS framework cannot continue after `fork`.
  errno = ENOTSUP;
  return -1;
#endif
}

int starter_request(int socket, const char *words, int length, const int files[4]) {
  if (length > capacity) return -1;
  union Control control;
  memset(&control, 0, sizeof control);
  struct iovec part = {(void *)words, (size_t)length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fileCount * sizeof(int));
  memcpy(CMSG_DATA(header), files, fileCount * sizeof(int));
  ssize_t sent;
  do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == length ? 0 : -1;
}

/// @return The bytes of the next request; 0 if there are no more.
static int receive(int socket, char *words, int files[fileCount]) {
  union Control control;
  struct iovec part = {words, capacity};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t received;
  do received = recvmsg(socket, &message, 0);
  while (received < 0 && errno == EINTR);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (received <= 0 || !header || header->cmsg_len != CMSG_LEN(fileCount * sizeof(int))) return 0;
  memcpy(files, CMSG_DATA(header), fileCount * sizeof(int));
  return (int)received;
}

/// The arguments behind the working directory.
static char **become(char *words, int length, const int files[fileCount]) {
  for (int i = 0; i < 3; ++i) dup2(files[i], i);
  for (int i = 0; i < fileCount; ++i) close(files[i]);
  if (chdir(words) != 0) _exit(71);
  char **arguments = calloc((size_t)length + 1, sizeof *arguments);
  int count = 0;
  for (char *word = words + strlen(words) + 1; word < words + length; word += strlen(word) + 1) arguments[count++] = word;
  return arguments;
}

char **starter_serve(int socket) {
  char *words = malloc(capacity + 1);
  int files[fileCount], length;
  // Children need not be waited for.
  signal(SIGCHLD, SIG_IGN);
  while ((length = receive(socket, words, files)) > 0) {
    words[length] = 0;
    if (fork() == 0) {
      // Between this process and the requested one, to wait for its end.
      signal(SIGCHLD, SIG_DFL);
      close(socket);
      const pid_t child = fork();
      if (child == 0) return become(words, length, files);
      int status = 0;
      while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      if (child > 0 && write(files[3], &status, sizeof status) < 0) _exit(1);
      _exit(0);
    }
    for (int i = 0; i < fileCount; ++i) close(files[i]);
  }
  _exit(0);
}
