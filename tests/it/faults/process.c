/* Loaded into leakstop by LD_PRELOAD: makes the N-th call of one kind fail. Without FAULT_KIND it counts the calls. It does
 * nothing in any other program, so the children of leakstop are left alone.
 *
 * FAULT_KIND   which calls, see `names`
 * FAULT_AT     the first call that fails, from 1
 * FAULT_ON     "once", or "forever" from there on
 * FAULT_ERRNO  the number that a failing call gives; for `kill` the signal
 * FAULT_COUNTS a file that is given one line a kind with the number of calls
 * FAULT_CLOCK  seconds since 1970 that the clock shows
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN, READ, MAP, WRITE, ALLOC, STAT, LIST, THREAD, SPAWN, SYNC, KILL, KINDS };
static const char *const names[KINDS] = {"open", "read", "map", "write", "alloc", "stat", "list", "thread", "spawn", "sync", "kill"};

static long counts[KINDS];
static int active, target = -1, forever, number;
static long at;
static time_t clock_shows;
static int clock_set;
static char counts_file[4096];

static int fails(enum kind kind) {
    if (!active) return 0;
    long now = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    /* Dying may happen at any read: what was read before must not pass for all there is. */
    if (target == KILL && kind == READ && now == at) raise(number);
    if (target != (int)kind || !(now == at || (forever && now > at))) return 0;
    errno = number;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    if (strcmp(program_invocation_short_name, "leakstop")) return;
    const char *kind = getenv("FAULT_KIND"), *shows = getenv("FAULT_CLOCK"), *file = getenv("FAULT_COUNTS");
    for (int i = 0; kind && i < KINDS; i++)
        if (!strcmp(kind, names[i])) target = i;
    if (kind && *kind && target < 0) _exit(99);
    at = atol(getenv("FAULT_AT") ? getenv("FAULT_AT") : "0");
    forever = getenv("FAULT_ON") && !strcmp(getenv("FAULT_ON"), "forever");
    number = atoi(getenv("FAULT_ERRNO") ? getenv("FAULT_ERRNO") : "5");
    if (shows && *shows) clock_set = 1, clock_shows = atoll(shows);
    if (file) strncpy(counts_file, file, sizeof counts_file - 1);
    active = 1;
}

__attribute__((destructor)) static void end(void) {
    active = 0;
    if (!counts_file[0]) return;
    FILE *out = fopen(counts_file, "w");
    for (int i = 0; out && i < KINDS; i++) fprintf(out, "%s %ld\n", names[i], counts[i]);
    if (out) fclose(out);
}

#define OPENER(name, first, ...)                                        \
    int name(first, const char *path, int flags, ...) {                 \
        va_list more;                                                   \
        va_start(more, flags);                                          \
        mode_t mode = va_arg(more, mode_t);                             \
        va_end(more);                                                   \
        return fails(OPEN) ? -1 : REAL(name)(__VA_ARGS__ path, flags, mode); \
    }
OPENER(openat, int folder, folder,)
OPENER(openat64, int folder, folder,)
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return fails(OPEN) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return fails(OPEN) ? -1 : REAL(open64)(path, flags, mode);
}

ssize_t read(int file, void *into, size_t size) { return fails(READ) ? -1 : REAL(read)(file, into, size); }
ssize_t readv(int file, const struct iovec *into, int n) { return fails(READ) ? -1 : REAL(readv)(file, into, n); }
ssize_t pread(int file, void *into, size_t size, off_t from) { return fails(READ) ? -1 : REAL(pread)(file, into, size, from); }
ssize_t pread64(int file, void *into, size_t size, off64_t from) { return fails(READ) ? -1 : REAL(pread64)(file, into, size, from); }
ssize_t readlink(const char *path, char *into, size_t size) { return fails(READ) ? -1 : REAL(readlink)(path, into, size); }
ssize_t write(int file, const void *from, size_t size) { return fails(WRITE) ? -1 : REAL(write)(file, from, size); }
ssize_t writev(int file, const struct iovec *from, int n) { return fails(WRITE) ? -1 : REAL(writev)(file, from, n); }

void *mmap(void *where, size_t size, int rights, int flags, int file, off_t from) {
    return file >= 0 && fails(MAP) ? MAP_FAILED : REAL(mmap)(where, size, rights, flags, file, from);
}
void *mmap64(void *where, size_t size, int rights, int flags, int file, off64_t from) {
    return file >= 0 && fails(MAP) ? MAP_FAILED : REAL(mmap64)(where, size, rights, flags, file, from);
}

/* dlsym allocates itself, so memory is asked of glibc under its own names. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { return fails(ALLOC) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return fails(ALLOC) ? NULL : __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { return fails(ALLOC) ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **into, size_t align, size_t size) {
    if (fails(ALLOC)) return ENOMEM;
    *into = __libc_memalign(align, size);
    return *into ? 0 : ENOMEM;
}

int access(const char *path, int how) { return fails(STAT) ? -1 : REAL(access)(path, how); }
int stat(const char *path, struct stat *into) { return fails(STAT) ? -1 : REAL(stat)(path, into); }
int lstat(const char *path, struct stat *into) { return fails(STAT) ? -1 : REAL(lstat)(path, into); }
int fstat(int file, struct stat *into) { return fails(STAT) ? -1 : REAL(fstat)(file, into); }
int stat64(const char *path, struct stat64 *into) { return fails(STAT) ? -1 : REAL(stat64)(path, into); }
int lstat64(const char *path, struct stat64 *into) { return fails(STAT) ? -1 : REAL(lstat64)(path, into); }
int fstat64(int file, struct stat64 *into) { return fails(STAT) ? -1 : REAL(fstat64)(file, into); }
int statx(int folder, const char *path, int flags, unsigned mask, struct statx *into) {
    return fails(STAT) ? -1 : REAL(statx)(folder, path, flags, mask, into);
}

int fsync(int file) { return fails(SYNC) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails(SYNC) ? -1 : REAL(fdatasync)(file); }
int flock(int file, int how) { return fails(SYNC) ? -1 : REAL(flock)(file, how); }

DIR *opendir(const char *path) { return fails(LIST) ? NULL : REAL(opendir)(path); }
struct dirent *readdir(DIR *folder) { return fails(LIST) ? NULL : REAL(readdir)(folder); }
struct dirent64 *readdir64(DIR *folder) { return fails(LIST) ? NULL : REAL(readdir64)(folder); }

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    return fails(THREAD) ? EAGAIN : REAL(pthread_create)(thread, how, run, with);
}

pid_t fork(void) { return fails(SPAWN) ? -1 : REAL(fork)(); }
int pipe2(int ends[2], int flags) { return fails(SPAWN) ? -1 : REAL(pipe2)(ends, flags); }
int posix_spawnp(pid_t *child, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
                 char *const arguments[], char *const environment[]) {
    return fails(SPAWN) ? EAGAIN : REAL(posix_spawnp)(child, file, actions, how, arguments, environment);
}

int clock_gettime(clockid_t clock, struct timespec *into) {
    if (clock_set && clock == CLOCK_REALTIME) {
        into->tv_sec = clock_shows;
        into->tv_nsec = 0;
        return 0;
    }
    return REAL(clock_gettime)(clock, into);
}
