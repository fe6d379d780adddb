// What libc has of the system: logs, terminals, users' databases, resolver, queues, processes.
#include <aio.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <fstab.h>
#include <grp.h>
#include <gshadow.h>
#include <ifaddrs.h>
#include <libgen.h>
#include <mntent.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pty.h>
#include <pwd.h>
#include <resolv.h>
#include <sched.h>
#include <shadow.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <ttyent.h>
#include <unistd.h>
#include <utime.h>
#include <utmp.h>

#include "tests/check/library_calls.h"

extern char** environ;

namespace roam_test {
namespace {

const Call kCalls[] = {
    {"openlog, setlogmask, syslog, closelog",
     [] {
       openlog("roam_check", LOG_NDELAY, LOG_USER);
       const int before = setlogmask(LOG_UPTO(LOG_EMERG));
       syslog(LOG_DEBUG, "a line of %d", 5);
       setlogmask(before);
       syslog(LOG_DEBUG, "%m");
       closelog();
     }},
    {"getutent, getutid, getutline, utmpname",
     [] {
       utmpname("/no/such/utmp/of/roam");
       setutent();
       use(getutent());
       utmp wanted{};
       wanted.ut_type = USER_PROCESS;
       use(getutid(&wanted));
       use(getutline(&wanted));
       utmp room{}, *found = nullptr;
       getutent_r(&room, &found);
       endutent();
       utmpname("/var/run/utmp");
     }},
    {"setfsent, getfsspec, getfsfile",
     [] {
       if (setfsent() != 0) {
         use(getfsent());
         use(getfsspec("/dev/none"));
         use(getfsfile("/"));
       }
       endfsent();
     }},
    {"getmntent_r, hasmntopt, addmntent",
     [] {
       char text[2000];
       mntent entry{};
       if (FILE* table = setmntent("/proc/mounts", "r"); table != nullptr) {
         while (getmntent_r(table, &entry, text, sizeof text) != nullptr)
           use(hasmntopt(&entry, "rw"));
         endmntent(table);
       }
     }},
    {"setttyent, getttyent, getttynam",
     [] {
       if (setttyent() != 0) use(getttyent());
       use(getttynam("tty1"));
       endttyent();
     }},
    {"fgetpwent, fgetgrent, putpwent",
     [] {
       char text[2000];
       if (FILE* file = fopen("/etc/passwd", "r"); file != nullptr) {
         use(fgetpwent(file));
         passwd entry, *found = nullptr;
         fgetpwent_r(file, &entry, text, sizeof text, &found);
         fclose(file);
       }
       if (FILE* file = fopen("/etc/group", "r"); file != nullptr) {
         use(fgetgrent(file));
         group entry, *found = nullptr;
         fgetgrent_r(file, &entry, text, sizeof text, &found);
         fclose(file);
       }
       FILE* out = fopen("/dev/null", "w");
       if (const passwd* root = getpwuid(0); root != nullptr) putpwent(root, out);
       if (const group* root = getgrgid(0); root != nullptr) putgrent(root, out);
       fclose(out);
     }},
    {"getpwent_r, getgrent_r, getgrnam_r, getgrgid_r",
     [] {
       char text[8000];
       passwd user, *user_found = nullptr;
       setpwent();
       getpwent_r(&user, text, sizeof text, &user_found);
       endpwent();
       group entry, *found = nullptr;
       setgrent();
       getgrent_r(&entry, text, sizeof text, &found);
       endgrent();
       getgrnam_r("root", &entry, text, sizeof text, &found);
       getgrgid_r(0, &entry, text, sizeof text, &found);
       char none[1];
       getgrnam_r("root", &entry, none, sizeof none, &found);
     }},
    {"getspent, fgetspent, sgetspent, getsgnam",
     [] {
       setspent();
       use(getspent());
       endspent();
       use(sgetspent("name:x:1:2:3:4:5:6:"));
       char text[1000];
       spwd entry, *found = nullptr;
       getspnam_r("root", &entry, text, sizeof text, &found);
       setsgent();
       use(getsgent());
       endsgent();
       use(getsgnam("root"));
       use(sgetsgent("group:x:a:b"));
     }},
    {"getservbyname_r, getprotobyname_r, getnetbyaddr, getrpcbynumber",
     [] {
       char text[4000];
       servent service, *service_found = nullptr;
       getservbyname_r("http", "tcp", &service, text, sizeof text, &service_found);
       getservbyport_r(htons(80), "tcp", &service, text, sizeof text, &service_found);
       protoent protocol, *protocol_found = nullptr;
       getprotobyname_r("tcp", &protocol, text, sizeof text, &protocol_found);
       getprotobynumber_r(17, &protocol, text, sizeof text, &protocol_found);
       use(getnetbyaddr(127, AF_INET));
       use(getrpcbynumber(100000));
       rpcent program, *program_found = nullptr;
       getrpcbyname_r("portmapper", &program, text, sizeof text, &program_found);
     }},
    {"getservent_r, getprotoent_r, gethostent_r",
     [] {
       char text[4000];
       int error = 0;
       servent service, *service_found = nullptr;
       setservent(0);
       getservent_r(&service, text, sizeof text, &service_found);
       endservent();
       protoent protocol, *protocol_found = nullptr;
       setprotoent(0);
       getprotoent_r(&protocol, text, sizeof text, &protocol_found);
       endprotoent();
       hostent host, *host_found = nullptr;
       sethostent(0);
       gethostent_r(&host, text, sizeof text, &host_found, &error);
       endhostent();
       gethostbyname2_r("localhost", AF_INET6, &host, text, sizeof text, &host_found, &error);
     }},
    {"getaddrinfo of every kind",
     [] {
       addrinfo hints{}, *found = nullptr;
       hints.ai_flags = AI_CANONNAME | AI_PASSIVE;
       hints.ai_socktype = SOCK_STREAM;
       if (getaddrinfo("127.0.0.1", "http", &hints, &found) == 0) freeaddrinfo(found);
       if (getaddrinfo(nullptr, "80", &hints, &found) == 0) freeaddrinfo(found);
       hints.ai_flags = AI_NUMERICHOST;
       if (getaddrinfo("::1", nullptr, &hints, &found) == 0) freeaddrinfo(found);
       use(getaddrinfo("x", "no such service", nullptr, &found));
     }},
    {"hstrerror, herror",
     [] {
       use(hstrerror(HOST_NOT_FOUND));
       use(h_errno);
     }},
    {"res_ninit, res_nmkquery, dn_expand, ns_initparse",
     [] {
       struct __res_state state {};
       unsigned char message[512];
       if (res_ninit(&state) == 0) {
         const int n = res_nmkquery(&state, 0, "name.invalid", 1, 1, nullptr, 0, nullptr, message,
                                    sizeof message);
         ns_msg parsed;
         if (n > 0) use(ns_initparse(message, n, &parsed));
         res_nclose(&state);
       }
       unsigned char packed[100];
       char name[200];
       const int bytes = dn_comp("name.invalid", packed, sizeof packed, nullptr, nullptr);
       if (bytes > 0) use(dn_expand(packed, packed + bytes, packed, name, sizeof name));
     }},
    {"res_search, res_querydomain",
     [] {
       unsigned char answer[512];
       use(res_search("name.invalid", 1, 1, answer, sizeof answer));
       use(res_querydomain("name", "invalid", 1, 1, answer, sizeof answer));
     }},
    {"if_nametoindex, if_indextoname",
     [] {
       char name[IF_NAMESIZE];
       use(if_nametoindex("lo"));
       use(if_indextoname(1, name));
     }},
    {"socketpair, sendmsg, recvmsg, getsockname, getsockopt",
     [] {
       int ends[2];
       if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
       char text[] = "text", back[8];
       iovec part{text, 4};
       msghdr message{};
       message.msg_iov = &part;
       message.msg_iovlen = 1;
       use(sendmsg(ends[0], &message, 0));
       use(recv(ends[1], back, sizeof back, MSG_DONTWAIT));
       sockaddr_un name;
       socklen_t bytes = sizeof name;
       use(getsockname(ends[0], reinterpret_cast<sockaddr*>(&name), &bytes));
       close(ends[0]);
       close(ends[1]);
     }},
    {"openpty, ttyname_r, tcgetattr, ptsname",
     [] {
       int above = -1, below = -1;
       if (openpty(&above, &below, nullptr, nullptr, nullptr) != 0) return;
       char name[100];
       use(ttyname_r(below, name, sizeof name));
       use(ttyname(below));
       use(ptsname(above));
       use(ptsname_r(above, name, sizeof name));
       termios state;
       tcgetattr(below, &state);
       close(above);
       close(below);
     }},
    {"mq_open, mq_notify, mq_close",
     [] {
       mq_attr attributes{};
       attributes.mq_maxmsg = 2;
       attributes.mq_msgsize = 16;
       const mqd_t queue = mq_open("/roam_check_queue", O_CREAT | O_RDWR, 0600, &attributes);
       if (queue == static_cast<mqd_t>(-1)) return;
       sigevent event{};
       event.sigev_notify = SIGEV_NONE;
       mq_notify(queue, &event);
       mq_notify(queue, nullptr);
       use(mq_send(queue, "text", 4, 0));
       mq_close(queue);
       mq_unlink("/roam_check_queue");
     }},
    {"aio_write, lio_listio, aio_suspend, aio_fsync",
     [] {
       FILE* file = tmpfile();
       char text[] = "text";
       aiocb block{};
       block.aio_fildes = fileno(file);
       block.aio_buf = text;
       block.aio_nbytes = 4;
       block.aio_lio_opcode = LIO_WRITE;
       aiocb* blocks[] = {&block};
       use(lio_listio(LIO_WAIT, blocks, 1, nullptr));
       use(aio_return(&block));
       if (aio_write(&block) == 0) {
         while (aio_error(&block) == EINPROGRESS) aio_suspend(blocks, 1, nullptr);
         use(aio_return(&block));
       }
       aio_cancel(fileno(file), nullptr);
       fclose(file);
     }},
    {"posix_spawn with actions and attributes",
     [] {
       posix_spawn_file_actions_t actions;
       posix_spawnattr_t attributes;
       posix_spawn_file_actions_init(&actions);
       posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
       posix_spawn_file_actions_adddup2(&actions, 1, 2);
       posix_spawn_file_actions_addclose(&actions, 0);
       posix_spawnattr_init(&attributes);
       posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
       char name[] = "true";
       char* words[] = {name, nullptr};
       pid_t child = 0;
       if (posix_spawnp(&child, "true", &actions, &attributes, words, environ) == 0)
         waitpid(child, nullptr, 0);
       use(posix_spawnp(&child, "/no/such/program", nullptr, nullptr, words, environ));
       posix_spawnattr_destroy(&attributes);
       posix_spawn_file_actions_destroy(&actions);
     }},
    {"popen of two, pclose in the other order",
     [] {
       FILE* one = popen("cat >/dev/null", "w");
       FILE* other = popen("echo text", "re");
       fputs("text", one);
       char line[20];
       use(fgets(line, sizeof line, other));
       pclose(one);
       pclose(other);
     }},
    {"system with output, of a command that fails",
     [] {
       use(system("exit 3"));
       use(system(nullptr));
     }},
    {"epoll, eventfd, timerfd, inotify",
     [] {
       const int all = epoll_create1(EPOLL_CLOEXEC), one = eventfd(1, 0);
       epoll_event event{};
       event.events = EPOLLIN;
       epoll_ctl(all, EPOLL_CTL_ADD, one, &event);
       use(epoll_wait(all, &event, 1, 0));
       eventfd_t value = 0;
       eventfd_read(one, &value);
       const int timer = timerfd_create(CLOCK_MONOTONIC, 0), watch = inotify_init();
       use(inotify_add_watch(watch, "/tmp", IN_CREATE));
       for (int fd : {all, one, timer, watch}) close(fd);
     }},
    {"shmget, semget, ftok",
     [] {
       const int segment = shmget(IPC_PRIVATE, 4096, 0600);
       if (segment >= 0) {
         if (void* at = shmat(segment, nullptr, 0); at != reinterpret_cast<void*>(-1)) shmdt(at);
         shmctl(segment, IPC_RMID, nullptr);
       }
       const int set = semget(IPC_PRIVATE, 1, 0600);
       if (set >= 0) semctl(set, 0, IPC_RMID);
       use(ftok("/tmp", 1));
     }},
    {"shm_open, memfd_create, msync",
     [] {
       const int fd = shm_open("/roam_check_memory", O_CREAT | O_RDWR, 0600);
       if (fd < 0) return;
       use(ftruncate(fd, 4096));
       void* at = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
       if (at != MAP_FAILED) {
         msync(at, 4096, MS_SYNC);
         munmap(at, 4096);
       }
       close(fd);
       shm_unlink("/roam_check_memory");
     }},
    {"readv, writev, pread, preadv, copy_file_range",
     [] {
       FILE* file = tmpfile();
       char one[] = "one", two[] = "two";
       iovec parts[] = {{one, 3}, {two, 3}};
       use(writev(fileno(file), parts, 2));
       use(preadv(fileno(file), parts, 2, 0));
       use(posix_fadvise(fileno(file), 0, 0, POSIX_FADV_DONTNEED));
       use(posix_fallocate(fileno(file), 0, 100));
       fclose(file);
     }},
    {"stat, statx, utimes, chmod, link, symlink, readlink, truncate",
     [] {
       char name[] = "/tmp/roam_check_XXXXXX";
       close(mkstemp(name));
       char other[60];
       snprintf(other, sizeof other, "%s.link", name);
       use(symlink(name, other));
       char target[100];
       use(readlink(other, target, sizeof target));
       struct stat state;
       use(lstat(other, &state));
       use(chmod(name, 0600));
       use(truncate(name, 10));
       use(utime(name, nullptr));
       use(utimes(name, nullptr));
       use(getxattr(name, "user.none", target, sizeof target));
       use(access(name, R_OK));
       unlink(other);
       unlink(name);
     }},
    {"get_nprocs, sysinfo, getloadavg, getauxval, pathconf",
     [] {
       double loads[3];
       struct sysinfo state;
       use(get_nprocs());
       use(get_nprocs_conf());
       use(get_phys_pages());
       use(sysinfo(&state));
       use(getloadavg(loads, 3));
       use(getauxval(AT_HWCAP));
       use(pathconf("/", _PC_NAME_MAX));
       use(fpathconf(0, _PC_PIPE_BUF));
     }},
    {"sched_*, getpriority, sched_getaffinity of many",
     [] {
       cpu_set_t* set = CPU_ALLOC(4096);
       use(sched_getaffinity(0, CPU_ALLOC_SIZE(4096), set));
       CPU_FREE(set);
       use(sched_get_priority_max(SCHED_FIFO));
       use(sched_getcpu());
       timespec slice;
       use(sched_rr_get_interval(0, &slice));
     }},
    {"setitimer, timer with a helper thread of libc",
     [] {
       itimerval none{};
       setitimer(ITIMER_REAL, &none, nullptr);
       sigevent event{};
       event.sigev_notify = SIGEV_THREAD;
       event.sigev_notify_function = [](sigval) {};
       timer_t timer;
       if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return;
       itimerspec soon{};
       soon.it_value.tv_nsec = 1'000'000;
       timer_settime(timer, 0, &soon, nullptr);
       timer_gettime(timer, &soon);
       timer_delete(timer);
     }},
    {"sigqueue, sigtimedwait, signal, siginterrupt",
     [] {
       sigset_t set;
       sigemptyset(&set);
       sigaddset(&set, SIGRTMIN + 5);
       const timespec none{};
       use(sigtimedwait(&set, nullptr, &none));
       use(sigpending(&set));
       use(signal(SIGWINCH, SIG_DFL));
     }},
    {"dirname, basename, get_current_dir_name",
     [] {
       char one[] = "/usr/lib/x", two[] = "/usr/lib/x";
       use(dirname(one));
       use(basename(two));
     }},
    {"getcpuclockid, clock_getres, adjtime, stime",
     [] {
       clockid_t clock;
       timespec resolution;
       pthread_getcpuclockid(pthread_self(), &clock);
       clock_getcpuclockid(0, &clock);
       clock_getres(CLOCK_REALTIME, &resolution);
       use(timespec_get(&resolution, TIME_UTC));
     }},
};

}  // namespace

std::span<const Call> calls_of_system() { return kCalls; }

}  // namespace roam_test
