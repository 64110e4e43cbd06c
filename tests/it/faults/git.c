/* Stands in for git on the PATH: runs the real one, and does something wrong at its N-th call.
 *
 * GIT_FAULT_REAL   the real git
 * GIT_FAULT_CALLS  a file that grows by one byte a call
 * GIT_FAULT_AT     the call that goes wrong, from 1; 0 for none
 * GIT_FAULT_MODE   "exit" (1, saying nothing), "kill" (itself, before a byte), and with GIT_FAULT_BYTE so many bytes into the
 *                  answer: "die" (killed there), "cut" (the rest is swallowed, and it ends as git does), "garble" (the rest
 *                  is other bytes in lines as long)
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void all(const char *from, ssize_t size) {
    while (size > 0) {
        ssize_t written = write(1, from, size);
        if (written < 0) {
            if (errno == EINTR) continue;
            _exit(1);
        }
        from += written, size -= written;
    }
}

int main(int count, char **arguments) {
    (void)count;
    const char *real = getenv("GIT_FAULT_REAL"), *calls = getenv("GIT_FAULT_CALLS"), *mode = getenv("GIT_FAULT_MODE");
    long at = atol(getenv("GIT_FAULT_AT")), byte = atol(getenv("GIT_FAULT_BYTE") ? getenv("GIT_FAULT_BYTE") : "0");
    struct stat before;
    int file = open(calls, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0 || write(file, "x", 1) != 1 || fstat(file, &before)) _exit(98);
    close(file);
    arguments[0] = (char *)real;
    if (before.st_size != at) {
        execv(real, arguments);
        _exit(97);
    }
    if (!strcmp(mode, "exit")) return 1;
    if (!strcmp(mode, "kill")) raise(SIGKILL);
    int ends[2];
    if (pipe(ends)) _exit(96);
    pid_t child = fork();
    if (child < 0) _exit(95); /* to kill -1 would be to kill everything */
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]), close(ends[1]);
        execv(real, arguments);
        _exit(97);
    }
    close(ends[1]);
    char part[4096];
    long seen = 0;
    for (;;) {
        ssize_t got = read(ends[0], part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (seen + got <= byte) {
            all(part, got);
        } else {
            ssize_t good = seen < byte ? byte - seen : 0;
            if (!strcmp(mode, "garble")) {
                /* A line stays a line: else both sides would wait for each other. */
                for (ssize_t i = good; i < got; i++)
                    if (part[i] != '\n') part[i] = 'x';
                all(part, got);
            } else {
                all(part, good);
                if (!strcmp(mode, "die")) kill(child, SIGKILL), raise(SIGKILL);
                close(1);
                while (read(ends[0], part, sizeof part) > 0) {}
                break;
            }
        }
        seen += got;
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
