/* Records what a process does to the files of one directory, in order and with the data, for `tests.power.recording`.
 *
 * Preloaded; RECORDER_ROOT is the directory, RECORDER_LOG the log, and the sync of a file with the number
 * RECORDER_FAILS_SYNC (from 1; 0 for none) fails with EIO. A record is a header and `size` bytes behind it. Only what
 * succeeded is recorded, and failed syncs. Memory maps are not: the one that SQLite uses (-shm) need not survive.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 1024
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct header { char kind; char pad[3]; int32_t pid, fd, flags; int64_t offset, size; };

static const char *root;
static size_t root_length;
static int log_fd = -1;
static long fails_sync, syncs;
static char watched[FILES]; /* 1 a file of the directory, 2 the directory itself */

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("RECORDER_LOG"), *fails = getenv("RECORDER_FAILS_SYNC");
    root = getenv("RECORDER_ROOT");
    if (!root || !log) return;
    root_length = strlen(root);
    fails_sync = fails ? atol(fails) : 0;
    int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 500);
    syscall(SYS_close, fd);
}

static const char *inside(const char *path) {
    if (log_fd < 0 || !path || strncmp(path, root, root_length)) return NULL;
    path += root_length;
    return *path == '/' ? path + 1 : *path ? NULL : path;
}

static int watches(int fd) { return fd >= 0 && fd < FILES ? watched[fd] : 0; }

static void note(char kind, int fd, int flags, int64_t offset, const void *data, size_t size) {
    int before = errno;
    struct header head = {kind, {0}, getpid(), fd, flags, offset, (int64_t)size};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, size}};
    if (syscall(SYS_writev, log_fd, parts, 2) != (long)(sizeof head + size)) abort();
    errno = before;
}

static int opened(int fd, const char *path, int flags) {
    const char *name = inside(path);
    if (fd >= 0 && fd < FILES) watched[fd] = name ? (*name ? 1 : 2) : 0;
    if (fd >= 0 && name) {
        if (fd >= FILES) abort();
        note('o', fd, (flags & O_CREAT ? 1 : 0) | (flags & O_TRUNC ? 2 : 0), 0, name, strlen(name));
    }
    return fd;
}

#define OPENS(name, ...)                                                                                               \
    va_list rest; va_start(rest, flags);                                                                               \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                            \
    va_end(rest);                                                                                                      \
    return opened(REAL(name)(__VA_ARGS__, flags, mode), path, flags)

int open(const char *path, int flags, ...) { OPENS(open, path); }
int open64(const char *path, int flags, ...) { OPENS(open64, path); }
int openat(int at, const char *path, int flags, ...) { OPENS(openat, at, path); }
int openat64(int at, const char *path, int flags, ...) { OPENS(openat64, at, path); }

int close(int fd) {
    if (fd == log_fd && fd >= 0) return 0;
    if (watches(fd)) watched[fd] = 0;
    return REAL(close)(fd);
}

static ssize_t wrote(ssize_t done, int fd, const void *data, int64_t offset) {
    if (done > 0 && watches(fd)) note('w', fd, 0, offset, data, done);
    return done;
}

ssize_t write(int fd, const void *data, size_t size) {
    int64_t at = watches(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    return wrote(REAL(write)(fd, data, size), fd, data, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return wrote(REAL(pwrite)(fd, data, size, at), fd, data, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return wrote(REAL(pwrite64)(fd, data, size, at), fd, data, at);
}

static int cut(int done, int fd, int64_t size) {
    if (!done && watches(fd)) note('t', fd, 0, size, NULL, 0);
    return done;
}
int ftruncate(int fd, off_t size) { return cut(REAL(ftruncate)(fd, size), fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(REAL(ftruncate64)(fd, size), fd, size); }

static int synced(int (*sync)(int), int fd) {
    int kind = watches(fd);
    if (kind == 1 && ++syncs == fails_sync) {
        note('e', fd, 0, 0, NULL, 0);
        errno = EIO;
        return -1;
    }
    int done = sync(fd);
    if (!done && kind) note('s', fd, 0, 0, NULL, 0);
    return done;
}
int fsync(int fd) { return synced(REAL(fsync), fd); }
int fdatasync(int fd) { return synced(REAL(fdatasync), fd); }

int unlink(const char *path) {
    int done = REAL(unlink)(path);
    if (!done && inside(path)) note('u', 0, 0, 0, inside(path), strlen(inside(path)));
    return done;
}

int rename(const char *from, const char *to) {
    const char *old = inside(from), *new = inside(to);
    int done = REAL(rename)(from, to);
    if (!done && old && new) {
        char both[4096];
        size_t first = strlen(old) + 1, second = strlen(new);
        if (first + second > sizeof both) abort();
        memcpy(both, old, first);
        memcpy(both + first, new, second);
        note('r', 0, 0, 0, both, first + second);
    }
    return done;
}
