/*
 * A file layer that injects faults, for tests of what survives a full disk, a broken disk and a power cut.
 *
 *   cc -std=c11 -O2 -Wall -Wextra -fPIC -shared -o faulty_files.so faulty_files.c
 *   LD_PRELOAD=$PWD/faulty_files.so FAULTY_ROOTS=/tmp/place FAULTY_PLAN=cut:17:1 program
 *
 * FAULTY_ROOTS   Absolute paths, separated by colons. What lies at or below them is watched, by the name that the
 *                program uses: symbolic links are not followed.
 * FAULTY_PLAN    One of the following. Without it every call is passed on and nothing is counted.
 *   count                   Only counts.
 *   fail-write:N:ENOSPC     The Nth changing call, counted from 1, fails with that errno; EIO likewise.
 *   fail-write:N:ENOSPC:on  From the Nth on, every changing call that needs space fails, as on a full disk: an open
 *                           that creates, writes, growth by truncation or allocation, and mkdir. EIO likewise.
 *   fail-read:N:EIO         The Nth read fails; with `:on` after it, so does every later one.
 *   cut:N:SEED              The power is cut at the Nth changing call. SEED and N decide what the disk holds then.
 * FAULTY_REPORT  A file that gets the line `changes=<n> reads=<n>` when the process exits, also by _exit.
 *
 * Changing calls are: an open that creates or truncates, the writes, ftruncate, fallocate, fsync, fdatasync, rename,
 * unlink, remove, rmdir, mkdir, link, mkstemp, and copy_file_range and sendfile into a watched file. A call counts
 * when it is tried, also when the system then refuses it. Reads are read, pread, readv and preadv.
 *
 * What a power cut leaves:
 * - The call that it hits is done in part if it writes (some multiple of 512 bytes from its start), is not done if
 *   it is a sync, and is otherwise done or not.
 * - Each block of 4096 bytes that was written since its file was last synced is kept or lost; for each file the
 *   odds are drawn first, so that all or nothing of it is lost now and then. A lost block gets its old bytes back.
 *   Growth that is lost leaves the file short, or zeros in it.
 * - Changes of names and of sizes set by a call form a journal, which is on the disk in order. All of it is there
 *   once a watched file or folder has been synced. Of the names that were made, changed or removed since (of the
 *   last 64 at most), any number of the last ones is undone. A size that was set is never undone, nor is what
 *   precedes it in the journal.
 * - Then the process is killed.
 *
 * Limits: what is written by stdio or through a mapping is not seen, nor are duplicated descriptors, symlink,
 * truncate, pwritev2, O_SYNC and sync(2). A child of fork is not watched; a program that is started anew counts for
 * itself. Overwriting a file that is open for writing only drops the process's record locks on it. The calls are no
 * points of thread cancellation.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BLOCK = 4096, MOST_DESCRIPTORS = 65536, MOST_STEPS = 64, MOST_ROOTS = 16 };

/* The next definition of a function, where the kernel has no call for it. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
/* Another name of a function: offsets have 64 bits here in any case. */
#define ALSO(other, name) extern __typeof__(name) other __attribute__((alias(#name)));

/* What a file held when it was last synced, as far as it has been written since. */
struct file {
  struct file *next;
  dev_t device;
  ino_t inode;
  off_t size; /* The least that the file may be cut down to. */
  size_t count;
  unsigned char **blocks; /* The old bytes of each block, or null if it was not written. */
  int descriptor;         /* Set when the power is cut. */
};

/* A change of names: `to` was made, was removed, or was given to what was called `from`. */
struct step {
  char *from, *to;
  bool is_made, is_folder, is_final;
  mode_t old_mode; /* Of what `to` named before; 0 if it named nothing. */
  int old_file;    /* Holds on to its bytes. */
};
static const struct step new_file = {.is_made = true, .old_file = -1};

static enum { OFF, COUNT, FAIL_WRITE, FAIL_READ, CUT } plan = OFF;
static unsigned long long nth;
static bool goes_on;
static int failure;
static pid_t owner;
static char roots[MOST_ROOTS][PATH_MAX];
static int root_count;
static atomic_ullong changes, reads;
static struct {
  dev_t device;
  ino_t inode;
  atomic_bool is_watched;
} descriptors[MOST_DESCRIPTORS];

/* The lock guards what follows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t random_state;
static int errno_before;
static bool is_last; /* Whether the power is cut at this call. */
static struct file *files;
static struct step steps[MOST_STEPS];
static int step_count;
static unsigned char nothing[BLOCK]; /* The old bytes of every block past the end of its file. */

/* MARK: What is watched */

/* A child of fork, or of vfork in its parent's memory, does not touch what is noted here. */
static bool is_active(void) { return plan != OFF && getpid() == owner; }

/* Takes out empty parts, "." and "..". */
static void normalise(char *path) {
  char *end = path;
  for (const char *part = path; *part;) {
    part += strspn(part, "/");
    size_t length = strcspn(part, "/");
    if (length == 2 && strncmp(part, "..", 2) == 0) {
      while (end > path && *--end != '/') {}
    } else if (length > 0 && !(length == 1 && *part == '.')) {
      *end++ = '/';
      memmove(end, part, length);
      end += length;
    }
    part += length;
  }
  *end = 0;
}

/* Returns whether a path is watched, and its absolute form. */
static bool locate(int folder, const char *path, char full[PATH_MAX]) {
  full[0] = 0;
  if (!is_active() || path[0] == 0) return false;
  if (path[0] != '/') {
    char link[64] = "/proc/self/cwd";
    if (folder != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, full, PATH_MAX - 1);
    if (length <= 0) return false;
    full[length] = 0;
  }
  size_t base = strlen(full);
  if (base + strlen(path) + 2 > PATH_MAX) return false;
  full[base] = '/';
  strcpy(full + base + 1, path);
  normalise(full);
  for (int i = 0; i < root_count; i++) {
    size_t length = strlen(roots[i]);
    if (strncmp(full, roots[i], length) == 0 && (full[length] == '/' || full[length] == 0)) return true;
  }
  return false;
}

/* Only files and folders are watched: a pipe could block while the lock is held. */
static int opened(int fd, bool is_below) {
  struct stat now;
  if (fd < 0 || fd >= MOST_DESCRIPTORS || !is_active() || fstat(fd, &now) != 0) return fd;
  descriptors[fd].device = now.st_dev;
  descriptors[fd].inode = now.st_ino;
  descriptors[fd].is_watched = is_below && (S_ISREG(now.st_mode) || S_ISDIR(now.st_mode));
  return fd;
}

/* The C library closes and opens descriptors on its own as well, so the number alone does not tell. */
static bool is_watched(int fd) {
  struct stat now;
  if (fd < 0 || fd >= MOST_DESCRIPTORS || !descriptors[fd].is_watched || !is_active()) return false;
  return fstat(fd, &now) == 0 && now.st_dev == descriptors[fd].device && now.st_ino == descriptors[fd].inode;
}

/* MARK: What a power cut may undo */

static void *checked(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

static struct file **place_of(const struct stat *now) {
  struct file **place = &files;
  while (*place && ((*place)->device != now->st_dev || (*place)->inode != now->st_ino)) place = &(*place)->next;
  return place;
}

static void drop_blocks(struct file *file, size_t first) {
  for (size_t i = first; i < file->count; i++) {
    if (file->blocks[i] != nothing) free(file->blocks[i]);
    file->blocks[i] = NULL;
  }
}

/* For a file that was synced, or that is new under an inode number that another has left. */
static void forget_writes(int fd) {
  struct stat now;
  if (plan != CUT || fstat(fd, &now) != 0) return;
  struct file **place = place_of(&now), *file = *place;
  if (file == NULL) return;
  *place = file->next;
  drop_blocks(file, 0);
  free(file->blocks);
  free(file);
}

/* Notes the old bytes of what a call is about to write. */
static void note_write(int fd, off_t start, size_t length) {
  struct stat now;
  if (plan != CUT || length == 0 || fstat(fd, &now) != 0) return;
  struct file **place = place_of(&now);
  if (*place == NULL) {
    *place = checked(malloc(sizeof **place));
    **place = (struct file){.device = now.st_dev, .inode = now.st_ino, .size = now.st_size, .descriptor = -1};
  }
  struct file *file = *place;
  size_t first = (size_t)start / BLOCK, end = ((size_t)start + length + BLOCK - 1) / BLOCK;
  if (end > file->count) {
    file->blocks = checked(realloc(file->blocks, end * sizeof *file->blocks));
    memset(file->blocks + file->count, 0, (end - file->count) * sizeof *file->blocks);
    file->count = end;
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int source = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ? fd : -1;
  for (size_t i = first; i < end; i++) {
    if (file->blocks[i]) continue;
    file->blocks[i] = nothing;
    if ((off_t)(i * BLOCK) >= now.st_size) continue;
    file->blocks[i] = checked(calloc(1, BLOCK));
    if (source < 0) source = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    syscall(SYS_pread64, source, file->blocks[i], (size_t)BLOCK, (off_t)(i * BLOCK));
  }
  if (source >= 0 && source != fd) syscall(SYS_close, source);
}

static void free_step(struct step *step) {
  if (step->old_file >= 0) syscall(SYS_close, step->old_file);
  free(step->from);
  free(step->to);
}

static void forget_steps(void) {
  while (step_count > 0) free_step(&steps[--step_count]);
}

/* A size that was set is kept, and old bytes past it do not come back. */
static void note_size(const struct stat *now, off_t size) {
  forget_steps();
  struct file *file = *place_of(now);
  if (file == NULL) return;
  file->size = size;
  size_t last = (size_t)size / BLOCK, rest = (size_t)size % BLOCK;
  if (rest && last < file->count && file->blocks[last]) memset(file->blocks[last] + rest, 0, BLOCK - rest);
  drop_blocks(file, last + (rest > 0));
}

/* What a path names, before a call makes it name something else. */
static struct step step_from(const char *path) {
  struct step step = {.old_file = -1};
  struct stat now;
  if (plan != CUT || fstatat(AT_FDCWD, path, &now, AT_SYMLINK_NOFOLLOW) != 0) return step;
  step.old_mode = now.st_mode;
  if (S_ISREG(now.st_mode)) step.old_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  step.is_final = !S_ISDIR(now.st_mode) && step.old_file < 0;
  return step;
}

/* Takes the step over; it is forgotten if the call failed. */
static void note_step(long result, struct step step, const char *from, const char *to) {
  if (step_count == MOST_STEPS) {
    free_step(&steps[0]);
    memmove(steps, steps + 1, (size_t)--step_count * sizeof *steps);
  }
  if (plan != CUT || result < 0) {
    free_step(&step);
  } else {
    step.from = from ? checked(strdup(from)) : NULL;
    step.to = checked(strdup(to));
    steps[step_count++] = step;
  }
}

/* MARK: The power cut */

/* SplitMix64. */
static uint64_t random_below(uint64_t bound) {
  uint64_t value = random_state += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return (value ^ (value >> 31)) % bound;
}

/* Opens the files that were written, wherever they have been moved. */
static void open_written(const char *path) {
  struct stat now;
  if (fstatat(AT_FDCWD, path, &now, AT_SYMLINK_NOFOLLOW) != 0) return;
  struct file *file = S_ISREG(now.st_mode) ? *place_of(&now) : NULL;
  if (file && file->descriptor < 0) file->descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR);
  DIR *folder = S_ISDIR(now.st_mode) ? opendir(path) : NULL;
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    char inner[PATH_MAX];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner) open_written(inner);
  }
  if (folder) closedir(folder);
}

static void lose_writes(const struct file *file) {
  struct stat now;
  if (file->descriptor < 0 || fstat(file->descriptor, &now) != 0) return;
  off_t end = file->size;
  uint64_t odds = random_below(5);
  for (size_t i = 0; i < file->count && (off_t)(i * BLOCK) < now.st_size; i++) {
    if (file->blocks[i] == NULL) continue;
    off_t start = (off_t)(i * BLOCK), stop = start + BLOCK < now.st_size ? start + BLOCK : now.st_size;
    if (random_below(4) < odds) end = stop > end ? stop : end;
    else syscall(SYS_pwrite64, file->descriptor, file->blocks[i], (size_t)(stop - start), start);
  }
  if (end < now.st_size && random_below(2)) syscall(SYS_ftruncate, file->descriptor, end);
}

/* Makes a file again from the bytes that an open descriptor holds on to. */
static bool put_back(const char *path, int source, mode_t mode) {
  int copy = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, mode & 07777);
  char bytes[BLOCK];
  off_t at = 0;
  for (long count; copy >= 0 && (count = syscall(SYS_pread64, source, bytes, sizeof bytes, at)) > 0; at += count)
    syscall(SYS_pwrite64, copy, bytes, (size_t)count, at);
  return copy >= 0;
}

/* Returns whether a step could be undone. */
static bool undo(const struct step *step) {
  if (step->is_final) return false;
  if (step->from && syscall(SYS_renameat2, AT_FDCWD, step->to, AT_FDCWD, step->from, 0) != 0) return false;
  if (step->is_made) return syscall(SYS_unlinkat, AT_FDCWD, step->to, step->is_folder ? AT_REMOVEDIR : 0) == 0;
  if (S_ISDIR(step->old_mode)) return syscall(SYS_mkdirat, AT_FDCWD, step->to, step->old_mode & 07777) == 0;
  return step->old_file < 0 || put_back(step->to, step->old_file, step->old_mode);
}

_Noreturn static void cut_power(void) {
  umask(0);
  for (int i = 0; i < root_count; i++) open_written(roots[i]);
  for (int i = 0; i < step_count; i++) {
    struct stat now;
    struct file *file = fstat(steps[i].old_file, &now) == 0 ? *place_of(&now) : NULL;
    if (file && file->descriptor < 0) file->descriptor = steps[i].old_file;
  }
  for (const struct file *file = files; file; file = file->next) lose_writes(file);
  int kept = (int)random_below((uint64_t)step_count + 1);
  while (step_count > kept && undo(&steps[step_count - 1])) step_count--;
  for (;;) kill(getpid(), SIGKILL);
}

/* MARK: The frame of every changing call */

/* Takes the lock and counts. Returns whether the call is to be made; if not, errno says why. */
static bool begin(bool needs_space) {
  pthread_mutex_lock(&lock);
  errno_before = errno;
  unsigned long long number = ++changes;
  is_last = plan == CUT && number == nth;
  if (plan != FAIL_WRITE || (goes_on ? number < nth || !needs_space : number != nth)) return true;
  errno = failure;
  return false;
}

/* The same for a call that is done or not when the power is cut. */
static bool begin_whole(bool needs_space) {
  bool is_made = begin(needs_space);
  if (is_last && random_below(2)) cut_power();
  return is_made;
}

static long end(long result) {
  if (is_last) cut_power();
  int code = result < 0 ? errno : errno_before;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

/* MARK: Opening and closing */

static int open_file(int folder, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  bool is_below = locate(folder, path, full), has_no_name = (flags & O_TMPFILE) == O_TMPFILE;
  struct stat old;
  int code = errno;
  bool exists = is_below && fstatat(AT_FDCWD, full, &old, 0) == 0;
  errno = code;
  bool creates = is_below && (has_no_name || (flags & O_CREAT && !exists));
  bool truncates = exists && !creates && S_ISREG(old.st_mode) && flags & O_TRUNC &&
                   (flags & O_ACCMODE) != O_RDONLY && !(flags & O_CREAT && flags & O_EXCL);
  if (!creates && !truncates) return opened((int)syscall(SYS_openat, folder, path, flags, mode), is_below);
  if (!begin_whole(creates)) return (int)end(-1);
  int fd = opened((int)syscall(SYS_openat, folder, path, flags, mode), true);
  if (fd >= 0 && creates) forget_writes(fd);
  if (fd >= 0 && truncates) note_size(&old, 0);
  if (creates && !has_no_name) note_step(fd, new_file, NULL, full);
  return (int)end(fd);
}

/* Reads the mode that follows the flags, where there is one. */
#define READ_MODE(flags)                                     \
  mode_t mode = 0;                                           \
  if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) { \
    va_list rest;                                            \
    va_start(rest, flags);                                   \
    mode = va_arg(rest, mode_t);                             \
    va_end(rest);                                            \
  }

int open(const char *path, int flags, ...) {
  READ_MODE(flags)
  return open_file(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  READ_MODE(flags)
  return open_file(folder, path, flags, mode);
}
int creat(const char *path, mode_t mode) { return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
/* What is compiled with _FORTIFY_SOURCE calls these when there is no mode. */
int __open_2(const char *path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return open_file(folder, path, flags, 0); }
ALSO(open64, open) ALSO(openat64, openat) ALSO(creat64, creat)
ALSO(__open64_2, __open_2) ALSO(__openat64_2, __openat_2)

int mkostemp(char *template, int flags) {
  char full[PATH_MAX];
  if (!locate(AT_FDCWD, template, full)) return opened(NEXT(mkostemp)(template, flags), false);
  if (!begin_whole(true)) return (int)end(-1);
  int fd = opened(NEXT(mkostemp)(template, flags), true);
  if (fd >= 0) forget_writes(fd);
  locate(AT_FDCWD, template, full);
  note_step(fd, new_file, NULL, full);
  return (int)end(fd);
}
int mkstemp(char *template) { return mkostemp(template, 0); }
ALSO(mkostemp64, mkostemp) ALSO(mkstemp64, mkstemp)

int close(int fd) {
  if (fd >= 0 && fd < MOST_DESCRIPTORS && is_active()) descriptors[fd].is_watched = false;
  return (int)syscall(SYS_close, fd);
}

/* MARK: Reading and writing */

static bool read_fails(int fd) {
  if (!is_watched(fd)) return false;
  unsigned long long number = ++reads;
  if (plan != FAIL_READ || (goes_on ? number < nth : number != nth)) return false;
  errno = failure;
  return true;
}

ssize_t read(int fd, void *bytes, size_t count) {
  return read_fails(fd) ? -1 : syscall(SYS_read, fd, bytes, count);
}
ssize_t pread(int fd, void *bytes, size_t count, off_t offset) {
  return read_fails(fd) ? -1 : syscall(SYS_pread64, fd, bytes, count, offset);
}
ssize_t readv(int fd, const struct iovec *parts, int count) {
  return read_fails(fd) ? -1 : syscall(SYS_readv, fd, parts, count);
}
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset) {
  return read_fails(fd) ? -1 : syscall(SYS_preadv, fd, parts, count, offset, 0L);
}
ALSO(pread64, pread) ALSO(preadv64, preadv)

/* Where a call writes; an offset of -1 stands for the position of the descriptor. */
static off_t place_to_write(int fd, off_t offset) {
  struct stat now;
  if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &now) == 0 ? now.st_size : 0;
  return offset >= 0 ? offset : lseek(fd, 0, SEEK_CUR);
}

/* The part of a write that comes through before the power is gone. */
static size_t torn(size_t length) {
  size_t part = 512 * random_below((length + 511) / 512 + 1);
  return part < length ? part : length;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t offset) {
  if (!begin(true)) return end(-1);
  size_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  off_t start = place_to_write(fd, offset);
  note_write(fd, start, length);
  if (!is_last) return end(syscall(SYS_pwritev2, fd, parts, count, offset, 0L, 0L));
  size_t left = torn(length);
  for (int i = 0; i < count && left > 0; i++) {
    size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
    syscall(SYS_pwrite64, fd, parts[i].iov_base, part, start);
    start += (off_t)part;
    left -= part;
  }
  cut_power();
}

ssize_t write(int fd, const void *bytes, size_t count) {
  if (!is_watched(fd)) return syscall(SYS_write, fd, bytes, count);
  return write_parts(fd, &(struct iovec){(void *)bytes, count}, 1, -1);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  if (!is_watched(fd) || offset < 0) return syscall(SYS_pwrite64, fd, bytes, count, offset);
  return write_parts(fd, &(struct iovec){(void *)bytes, count}, 1, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return is_watched(fd) ? write_parts(fd, parts, count, -1) : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  if (!is_watched(fd) || offset < 0) return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
  return write_parts(fd, parts, count, offset);
}
ALSO(pwrite64, pwrite) ALSO(pwritev64, pwritev)

/* Both copies may do less than they are asked to, which bounds what has to be noted. */
static size_t prepare_copy(int to, off_t offset, size_t length) {
  length = length < (1 << 20) ? length : 1 << 20;
  note_write(to, place_to_write(to, offset), length);
  return is_last ? torn(length) : length;
}

ssize_t copy_file_range(int from, off_t *source, int to, off_t *place, size_t length, unsigned flags) {
  if (!is_watched(to)) return syscall(SYS_copy_file_range, from, source, to, place, length, flags);
  if (!begin(true)) return end(-1);
  length = prepare_copy(to, place ? *place : -1, length);
  return end(syscall(SYS_copy_file_range, from, source, to, place, length, flags));
}
ssize_t sendfile(int to, int from, off_t *source, size_t length) {
  if (!is_watched(to)) return syscall(SYS_sendfile, to, from, source, length);
  if (!begin(true)) return end(-1);
  return end(syscall(SYS_sendfile, to, from, source, prepare_copy(to, -1, length)));
}
ALSO(sendfile64, sendfile)

/* The calls that set a size; the last two arguments are the ones of fallocate. */
static int set_size(int fd, long number, long first, off_t second, off_t third) {
  struct stat now;
  if (!is_watched(fd) || fstat(fd, &now) != 0) return (int)syscall(number, fd, first, second, third);
  if (!begin_whole(number == SYS_fallocate || first > now.st_size)) return (int)end(-1);
  off_t old_size = now.st_size;
  long result = syscall(number, fd, first, second, third);
  if (result == 0 && fstat(fd, &now) == 0 && (number == SYS_ftruncate || now.st_size > old_size))
    note_size(&now, now.st_size);
  return (int)end(result);
}

int ftruncate(int fd, off_t size) { return set_size(fd, SYS_ftruncate, size, 0, 0); }
int fallocate(int fd, int mode, off_t offset, off_t length) {
  return set_size(fd, SYS_fallocate, mode, offset, length);
}
int posix_fallocate(int fd, off_t offset, off_t length) {
  if (!is_watched(fd)) return NEXT(posix_fallocate)(fd, offset, length);
  int code = errno, result = fallocate(fd, 0, offset, length) == 0 ? 0 : errno;
  errno = code;
  return result;
}
ALSO(ftruncate64, ftruncate) ALSO(fallocate64, fallocate) ALSO(posix_fallocate64, posix_fallocate)

static int synchronise(int fd, long number) {
  if (!is_watched(fd)) return (int)syscall(number, fd);
  if (!begin(false)) return (int)end(-1);
  if (is_last) cut_power();
  long result = syscall(number, fd);
  if (result == 0) {
    forget_writes(fd);
    forget_steps();
  }
  return (int)end(result);
}
int fsync(int fd) { return synchronise(fd, SYS_fsync); }
int fdatasync(int fd) { return synchronise(fd, SYS_fdatasync); }

/* MARK: Names */

/* The calls that make, change or remove a name; those that do not start from another one have no `old`. */
static int change_name(long number, int old_folder, const char *old, int folder, const char *path, unsigned option) {
  char from[PATH_MAX], to[PATH_MAX];
  bool is_rename = number == SYS_renameat2, leaves = is_rename && locate(old_folder, old, from);
  bool is_below = locate(folder, path, to) || leaves;
  if (is_below && !begin_whole(number == SYS_mkdirat)) return (int)end(-1);
  struct step step = is_below ? step_from(to) : (struct step){.old_file = -1};
  long result = old ? syscall(number, old_folder, old, folder, path, option) : syscall(number, folder, path, option);
  if (!is_below) return (int)result;
  step.is_made = number == SYS_mkdirat || number == SYS_linkat;
  step.is_folder = number == SYS_mkdirat;
  /* An exchange stays done; a rename between two names of one file has done nothing. */
  if (result == 0 && is_rename && faccessat(AT_FDCWD, from, F_OK, AT_SYMLINK_NOFOLLOW) == 0) step.is_final = true;
  note_step(result, step, is_rename ? from : NULL, to);
  return (int)end(result);
}

int renameat2(int old_folder, const char *old, int folder, const char *path, unsigned flags) {
  return change_name(SYS_renameat2, old_folder, old, folder, path, flags);
}
int renameat(int old_folder, const char *old, int folder, const char *path) {
  return change_name(SYS_renameat2, old_folder, old, folder, path, 0);
}
int linkat(int old_folder, const char *old, int folder, const char *path, int flags) {
  return change_name(SYS_linkat, old_folder, old, folder, path, (unsigned)flags);
}
int unlinkat(int folder, const char *path, int flags) {
  return change_name(SYS_unlinkat, 0, NULL, folder, path, (unsigned)flags);
}
int mkdirat(int folder, const char *path, mode_t mode) {
  return change_name(SYS_mkdirat, 0, NULL, folder, path, mode);
}
int rename(const char *old, const char *path) { return renameat2(AT_FDCWD, old, AT_FDCWD, path, 0); }
int link(const char *old, const char *path) { return linkat(AT_FDCWD, old, AT_FDCWD, path, 0); }
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) { return unlink(path) == 0 || (errno == EISDIR && rmdir(path) == 0) ? 0 : -1; }
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* MARK: The environment and the report */

/* A plan that cannot be read would let a test pass for nothing. */
_Noreturn static void refuse(const char *name, const char *value) {
  dprintf(STDERR_FILENO, "faulty_files: %s cannot be read: %s\n", name, value);
  syscall(SYS_exit_group, 126);
  abort();
}

__attribute__((constructor)) static void start(void) {
  const char *text = getenv("FAULTY_PLAN"), *places = getenv("FAULTY_ROOTS");
  if (text == NULL || *text == 0) return;
  while (places && *(places += strspn(places, ":"))) {
    size_t length = strcspn(places, ":");
    if (*places != '/' || length >= PATH_MAX || root_count == MOST_ROOTS) refuse("FAULTY_ROOTS", places);
    memcpy(roots[root_count], places, length);
    normalise(roots[root_count++]);
    places += length;
  }
  char kind[8], code[8], on[4] = "";
  unsigned long long seed;
  int used = 0, wanted = (int)strlen(text), found = OFF;
  if (strcmp(text, "count") == 0) {
    found = COUNT;
  } else if (sscanf(text, "cut:%llu:%llu%n", &nth, &seed, &used) == 2 && used == wanted) {
    found = CUT;
    random_state = seed * 0xD1342543DE82EF95 + nth;
  } else if (sscanf(text, "fail-%7[a-z]:%llu:%7[A-Z]%n:%3[a-z]%n", kind, &nth, code, &used, on, &used) >= 3) {
    goes_on = strcmp(on, "on") == 0;
    failure = strcmp(code, "EIO") == 0 ? EIO : strcmp(code, "ENOSPC") == 0 ? ENOSPC : 0;
    if (strcmp(kind, "write") == 0) found = FAIL_WRITE;
    if (strcmp(kind, "read") == 0 && failure == EIO) found = FAIL_READ;
    if (failure == 0 || used != wanted || (*on && !goes_on)) found = OFF;
  }
  if (found == OFF || (found != COUNT && nth == 0)) refuse("FAULTY_PLAN", text);
  owner = getpid();
  plan = found;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAULTY_REPORT");
  if (path == NULL || !is_active()) return;
  char line[64];
  int length = snprintf(line, sizeof line, "changes=%llu reads=%llu\n", changes, reads);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, (size_t)length);
  syscall(SYS_close, fd);
}

_Noreturn void _exit(int status) {
  report();
  syscall(SYS_exit_group, status);
  abort();
}
ALSO(_Exit, _exit)
