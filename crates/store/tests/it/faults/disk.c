/* A disk that fails below a program, which is started with this in LD_PRELOAD.
 *
 * FAULTY_DIRECTORY  the files that it is about
 * FAULTY_AT         which operation that changes something there has the fault, counted from 0
 * FAULTY_KIND       fails: it does nothing and says EIO
 *                   short: of what is written half is there, and the rest finds no room; only writes count
 *                   full:  from then on there is no room
 * FAULTY_TOLD       a file that is made when the fault was met
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_long operations;
static atomic_int rest_fails;

static int is_about_path(const char *path) {
    const char *directory = getenv("FAULTY_DIRECTORY");
    return directory && path && strncmp(path, directory, strlen(directory)) == 0;
}

static int is_about(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_about_path(path);
}

enum { WELL, FAILS, HALF };
enum { NEEDS_NOTHING, NEEDS_ROOM, WRITES };

/* What is to become of the next operation; errno says why it fails. */
static int next(int what) {
    const char *kind = getenv("FAULTY_KIND");
    int is_short = strcmp(kind, "short") == 0;
    if (what == WRITES && atomic_exchange(&rest_fails, 0)) {
        errno = ENOSPC;
        return FAILS;
    }
    if (is_short && what != WRITES) return WELL;
    long at = atol(getenv("FAULTY_AT")), number = atomic_fetch_add(&operations, 1);
    if (number == at) {
        int told = REAL(open)(getenv("FAULTY_TOLD"), O_CREAT | O_WRONLY, 0600);
        if (told >= 0) close(told);
    }
    if (strcmp(kind, "full") == 0) {
        errno = ENOSPC;
        return number >= at && what != NEEDS_NOTHING ? FAILS : WELL;
    }
    if (number != at) return WELL;
    if (is_short) {
        atomic_store(&rest_fails, 1);
        return HALF;
    }
    errno = EIO;
    return FAILS;
}

ssize_t write(int file, const void *bytes, size_t count) {
    if (!is_about(file)) return REAL(write)(file, bytes, count);
    int fault = next(WRITES);
    if (fault == FAILS) return -1;
    return REAL(write)(file, bytes, fault == HALF ? (count + 1) / 2 : count);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    if (!is_about(file)) return REAL(writev)(file, parts, count);
    int fault = next(WRITES);
    if (fault == FAILS) return -1;
    if (fault == WELL) return REAL(writev)(file, parts, count);
    if (count > 1) return REAL(writev)(file, parts, count / 2);
    return REAL(write)(file, parts->iov_base, (parts->iov_len + 1) / 2);
}

static int open_as(const char *path, int flags, mode_t mode, int (*real)(const char *, int, ...)) {
    if ((flags & O_CREAT) && is_about_path(path) && next(NEEDS_ROOM) == FAILS) return -1;
    return real(path, flags, mode);
}

#define OPEN(name)                                              \
    int name(const char *path, int flags, ...) {                \
        va_list rest;                                           \
        va_start(rest, flags);                                  \
        mode_t mode = flags & O_CREAT ? va_arg(rest, int) : 0;  \
        va_end(rest);                                           \
        return open_as(path, flags, mode, REAL(name));          \
    }
OPEN(open)
OPEN(open64)

#define OF_FILE(name)                                           \
    int name(int file) {                                        \
        if (is_about(file) && next(NEEDS_NOTHING) == FAILS) return -1;      \
        return REAL(name)(file);                                \
    }
OF_FILE(fsync)
OF_FILE(fdatasync)

#define SET_LENGTH(name, type)                                  \
    int name(int file, type length) {                           \
        if (is_about(file) && next(NEEDS_ROOM) == FAILS) return -1;      \
        return REAL(name)(file, length);                        \
    }
SET_LENGTH(ftruncate, off_t)
SET_LENGTH(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    if (is_about_path(to) && next(NEEDS_NOTHING) == FAILS) return -1;
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    if (is_about_path(path) && next(NEEDS_NOTHING) == FAILS) return -1;
    return REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode) {
    if (is_about_path(path) && next(NEEDS_ROOM) == FAILS) return -1;
    return REAL(mkdir)(path, mode);
}
