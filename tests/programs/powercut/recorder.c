/* Records what a program does to the files below a folder, in order, with the bytes that it writes.
 *
 *     LD_PRELOAD=recorder.so POWERCUT_ROOT=/folder POWERCUT_LOG=/elsewhere/log program …
 *
 * Wraps the functions of the C library that create, write, truncate, rename, link, remove and sync files. Each call is
 * executed and appended to the log under a lock, so that the log has the order in which the system saw the calls. Calls
 * that would bypass the recorder (sendfile, copy_file_range) fail as on systems without them; programs then use write.
 * recording.py reads the log, and a test compares the result of replaying it with the folder.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define LONGEST (2 * PATH_MAX)

enum kind {
    CREATED = 'C', FOLDER_MADE = 'D', WRITTEN = 'W', RESIZED = 'X', RENAMED = 'R', LINKED = 'L',
    REMOVED = 'U', FOLDER_REMOVED = 'E', SYNCED = 'S',
};

/* One call: this header, then both paths, then `length` bytes of a write. `at` is an offset or a new size. */
struct __attribute__((packed)) entry {
    uint32_t magic;
    uint8_t kind;
    uint16_t path_length, other_length;
    uint64_t inode, at, length;
};
#define MAGIC 0x54554350u

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int log_file = -1;
static char root[PATH_MAX];

static void begin(void) {
    const char *log = getenv("POWERCUT_LOG"), *folder = getenv("POWERCUT_ROOT");
    if (!log || !folder || strlen(folder) >= sizeof root) return;
    strcpy(root, folder);
    log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void enter(void) {
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
}

static void leave(void) {
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
}

static void record(enum kind kind, uint64_t inode, const char *path, const char *other, uint64_t at, const void *data,
                   uint64_t length) {
    struct entry entry = {MAGIC, kind, strlen(path), other ? strlen(other) : 0, inode, at, length};
    struct iovec parts[] = {
        {&entry, sizeof entry}, {(void *)path, entry.path_length}, {(void *)other, entry.other_length},
        {(void *)data, data ? length : 0},
    };
    size_t whole = 0;
    for (int i = 0; i < 4; i++) whole += parts[i].iov_len;
    if (syscall(SYS_writev, log_file, parts, 4) != (long)whole) abort(); /* an incomplete log proves nothing */
}

/* -- paths */

static int in_root(const char *path) {
    size_t length = strlen(root);
    return log_file >= 0 && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static int path_of_descriptor(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

/* The absolute path of a name relative to a folder. Returns whether it is below the root. */
static int resolve(int folder, const char *name, char *path) {
    if (log_file < 0 || !name) return 0;
    if (name[0] == '/') {
        snprintf(path, LONGEST, "%s", name);
    } else {
        char above[PATH_MAX];
        if (folder == AT_FDCWD ? !getcwd(above, sizeof above) : !path_of_descriptor(folder, above)) return 0;
        snprintf(path, LONGEST, "%s/%s", above, name);
    }
    return in_root(path);
}

/* Whether a descriptor refers to a file or folder below the root, with its path and its status. */
static int is_ours(int descriptor, char *path, struct stat *found) {
    return log_file >= 0 && path_of_descriptor(descriptor, path) && in_root(path) && !fstat(descriptor, found) &&
           (S_ISREG(found->st_mode) || S_ISDIR(found->st_mode));
}

/* -- creation */

static int do_open(int folder, const char *name, int flags, mode_t mode) {
    enter();
    char path[LONGEST];
    struct stat before, now;
    int ours = (flags & (O_WRONLY | O_RDWR | O_CREAT)) && resolve(folder, name, path);
    int existed = ours && !lstat(path, &before);
    int descriptor = syscall(SYS_openat, folder, name, flags | O_LARGEFILE, mode);
    if (ours && descriptor >= 0 && !fstat(descriptor, &now)) {
        if (!existed)
            record(CREATED, now.st_ino, path, 0, 0, 0, 0);
        else if ((flags & O_TRUNC) && before.st_size > 0)
            record(RESIZED, now.st_ino, path, 0, 0, 0, 0);
    }
    leave();
    return descriptor;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

#define OPENING(folder)                       \
    va_list rest;                             \
    va_start(rest, flags);                    \
    mode_t mode = mode_of(flags, rest);       \
    va_end(rest);                             \
    return do_open(folder, name, flags, mode)

int open(const char *name, int flags, ...) { OPENING(AT_FDCWD); }
int open64(const char *name, int flags, ...) { OPENING(AT_FDCWD); }
int openat(int folder, const char *name, int flags, ...) { OPENING(folder); }
int openat64(int folder, const char *name, int flags, ...) { OPENING(folder); }
int __open_2(const char *name, int flags) { return do_open(AT_FDCWD, name, flags, 0); }
int __open64_2(const char *name, int flags) { return do_open(AT_FDCWD, name, flags, 0); }
int creat(const char *name, mode_t mode) { return do_open(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static int do_mkdir(int folder, const char *name, mode_t mode) {
    enter();
    char path[LONGEST];
    struct stat found;
    int failed = syscall(SYS_mkdirat, folder, name, mode);
    if (!failed && resolve(folder, name, path) && !lstat(path, &found))
        record(FOLDER_MADE, found.st_ino, path, 0, 0, 0, 0);
    leave();
    return failed;
}

int mkdir(const char *name, mode_t mode) { return do_mkdir(AT_FDCWD, name, mode); }
int mkdirat(int folder, const char *name, mode_t mode) { return do_mkdir(folder, name, mode); }

/* -- content */

static ssize_t do_write(int descriptor, const void *data, size_t length, off_t at, int positioned) {
    enter();
    char path[LONGEST];
    struct stat found;
    int ours = is_ours(descriptor, path, &found);
    if (ours && !positioned)
        at = fcntl(descriptor, F_GETFL) & O_APPEND ? found.st_size : lseek(descriptor, 0, SEEK_CUR);
    ssize_t done = positioned ? syscall(SYS_pwrite64, descriptor, data, length, at)
                              : syscall(SYS_write, descriptor, data, length);
    if (ours && done > 0) record(WRITTEN, found.st_ino, path, 0, at, data, done);
    leave();
    return done;
}

ssize_t write(int descriptor, const void *data, size_t length) { return do_write(descriptor, data, length, 0, 0); }
ssize_t pwrite(int descriptor, const void *data, size_t n, off_t at) { return do_write(descriptor, data, n, at, 1); }
ssize_t pwrite64(int descriptor, const void *data, size_t n, off_t at) { return do_write(descriptor, data, n, at, 1); }

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    pthread_once(&once, begin);
    char path[LONGEST];
    struct stat found;
    if (!is_ours(descriptor, path, &found)) return syscall(SYS_writev, descriptor, parts, count);
    ssize_t whole = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = write(descriptor, parts[i].iov_base, parts[i].iov_len);
        if (done < 0) return whole ? whole : -1;
        whole += done;
        if ((size_t)done < parts[i].iov_len) break;
    }
    return whole;
}

static int do_resize(int descriptor, off_t size) {
    enter();
    char path[LONGEST];
    struct stat found;
    int ours = is_ours(descriptor, path, &found);
    int failed = syscall(SYS_ftruncate, descriptor, size);
    if (ours && !failed) record(RESIZED, found.st_ino, path, 0, size, 0, 0);
    leave();
    return failed;
}

int ftruncate(int descriptor, off_t size) { return do_resize(descriptor, size); }
int ftruncate64(int descriptor, off_t size) { return do_resize(descriptor, size); }

int truncate(const char *name, off_t size) {
    int descriptor = do_open(AT_FDCWD, name, O_WRONLY, 0);
    if (descriptor < 0) return -1;
    int failed = do_resize(descriptor, size);
    close(descriptor);
    return failed;
}
int truncate64(const char *name, off_t size) { return truncate(name, size); }

/* Allocation may extend a file; the other operations of fallocate are not used. */
static int do_allocate(int descriptor, int mode, off_t at, off_t length) {
    enter();
    char path[LONGEST];
    struct stat found;
    int ours = is_ours(descriptor, path, &found);
    int failed = syscall(SYS_fallocate, descriptor, mode, at, length);
    if (ours && !failed && mode == 0 && at + length > found.st_size)
        record(RESIZED, found.st_ino, path, 0, at + length, 0, 0);
    leave();
    return failed;
}

int fallocate(int descriptor, int mode, off_t at, off_t n) { return do_allocate(descriptor, mode, at, n); }
int fallocate64(int descriptor, int mode, off_t at, off_t n) { return do_allocate(descriptor, mode, at, n); }
int posix_fallocate(int descriptor, off_t at, off_t n) { return do_allocate(descriptor, 0, at, n) ? errno : 0; }
int posix_fallocate64(int descriptor, off_t at, off_t n) { return do_allocate(descriptor, 0, at, n) ? errno : 0; }

/* -- names */

static int do_rename(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    enter();
    char path[LONGEST], other[LONGEST];
    struct stat found;
    int ours = resolve(from_folder, from, path) & resolve(to_folder, to, other);
    ours = ours && !lstat(path, &found);
    int failed = syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    if (ours && !failed) record(RENAMED, found.st_ino, path, other, 0, 0, 0);
    leave();
    return failed;
}

int rename(const char *from, const char *to) { return do_rename(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return do_rename(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return do_rename(a, from, b, to, flags);
}

static int do_link(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    enter();
    char path[LONGEST], other[LONGEST];
    struct stat found;
    int ours = resolve(from_folder, from, path) & resolve(to_folder, to, other);
    ours = ours && !lstat(path, &found);
    int failed = syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    if (ours && !failed) record(LINKED, found.st_ino, path, other, 0, 0, 0);
    leave();
    return failed;
}

int link(const char *from, const char *to) { return do_link(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return do_link(a, from, b, to, flags); }

static int do_remove(int folder, const char *name, int flags) {
    enter();
    char path[LONGEST];
    int ours = resolve(folder, name, path);
    int failed = syscall(SYS_unlinkat, folder, name, flags);
    if (ours && !failed) record(flags & AT_REMOVEDIR ? FOLDER_REMOVED : REMOVED, 0, path, 0, 0, 0, 0);
    leave();
    return failed;
}

int unlink(const char *name) { return do_remove(AT_FDCWD, name, 0); }
int unlinkat(int folder, const char *name, int flags) { return do_remove(folder, name, flags); }
int rmdir(const char *name) { return do_remove(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) {
    int failed = do_remove(AT_FDCWD, name, 0);
    return failed && errno == EISDIR ? do_remove(AT_FDCWD, name, AT_REMOVEDIR) : failed;
}

/* -- syncs */

static int do_sync(int descriptor, long call) {
    enter();
    char path[LONGEST];
    struct stat found;
    int ours = is_ours(descriptor, path, &found);
    int failed = syscall(call, descriptor);
    if (ours && !failed) record(SYNCED, found.st_ino, path, 0, 0, 0, 0);
    leave();
    return failed;
}

int fsync(int descriptor) { return do_sync(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return do_sync(descriptor, SYS_fdatasync); }

/* -- calls that would bypass the recorder */

ssize_t sendfile(int to, int from, off_t *at, size_t length) {
    char path[LONGEST];
    struct stat found;
    pthread_once(&once, begin);
    if (!is_ours(to, path, &found)) return syscall(SYS_sendfile, to, from, at, length);
    errno = EINVAL;
    return -1;
}
ssize_t sendfile64(int to, int from, off_t *at, size_t length) { return sendfile(to, from, at, length); }

ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags) {
    char path[LONGEST];
    struct stat found;
    pthread_once(&once, begin);
    if (!is_ours(to, path, &found)) return syscall(SYS_copy_file_range, from, from_at, to, to_at, length, flags);
    errno = ENOSYS;
    return -1;
}
