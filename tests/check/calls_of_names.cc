// Names of users, hosts and services, and the dynamic linker.
#include <aliases.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <grp.h>
#include <ifaddrs.h>
#include <link.h>
#include <mntent.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pwd.h>
#include <resolv.h>
#include <shadow.h>
#include <stdlib.h>
#include <unistd.h>
#include <utmpx.h>

#include "tests/check/library_calls.h"

namespace roam_test {
namespace {

const Call kCalls[] = {
    {"getpwnam, getpwuid",
     [] {
       use(getpwnam("root"));
       use(getpwuid(0));
       use(getpwnam("nobody of that name"));
     }},
    {"getpwnam_r",
     [] {
       passwd entry, *found = nullptr;
       char text[4000];
       getpwnam_r("root", &entry, text, sizeof text, &found);
       getpwuid_r(0, &entry, text, sizeof text, &found);
     }},
    {"getpwent",
     [] {
       setpwent();
       for (int i = 0; i < 3; ++i) use(getpwent());
       endpwent();
     }},
    {"getgrnam, getgrgid",
     [] {
       use(getgrnam("root"));
       use(getgrgid(0));
     }},
    {"getgrent",
     [] {
       setgrent();
       for (int i = 0; i < 3; ++i) use(getgrent());
       endgrent();
     }},
    {"getgrouplist, getgroups, initgroups",
     [] {
       gid_t groups[50];
       int n = 50;
       use(getgrouplist("root", 0, groups, &n));
     }},
    {"getspnam", [] { use(getspnam("root")); }},
    {"gethostbyname",
     [] {
       use(gethostbyname("localhost"));
       use(gethostbyname2("localhost", AF_INET));
       use(gethostbyname("no.such.host.invalid"));
     }},
    {"gethostbyaddr",
     [] {
       const in_addr address{htonl(INADDR_LOOPBACK)};
       use(gethostbyaddr(&address, sizeof address, AF_INET));
     }},
    {"gethostbyname_r",
     [] {
       hostent entry, *found = nullptr;
       char text[4000];
       int error = 0;
       gethostbyname_r("localhost", &entry, text, sizeof text, &found, &error);
     }},
    {"gethostent",
     [] {
       sethostent(1);
       use(gethostent());
       endhostent();
     }},
    {"getaddrinfo, gai_strerror",
     [] {
       addrinfo* found = nullptr;
       if (getaddrinfo("localhost", "80", nullptr, &found) == 0) freeaddrinfo(found);
       use(gai_strerror(EAI_NONAME));
     }},
    {"getaddrinfo of a name that is none",
     [] {
       addrinfo* found = nullptr;
       if (getaddrinfo("no.such.host.invalid", nullptr, nullptr, &found) == 0) freeaddrinfo(found);
     }},
    {"getnameinfo",
     [] {
       sockaddr_in address{};
       address.sin_family = AF_INET;
       address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
       char host[200], service[50];
       getnameinfo(reinterpret_cast<sockaddr*>(&address), sizeof address, host, sizeof host,
                   service, sizeof service, 0);
     }},
    {"getservbyname, getservbyport, getservent",
     [] {
       use(getservbyname("http", "tcp"));
       use(getservbyport(htons(80), "tcp"));
       setservent(1);
       use(getservent());
       endservent();
     }},
    {"getprotobyname, getprotobynumber, getprotoent",
     [] {
       use(getprotobyname("tcp"));
       use(getprotobynumber(6));
       setprotoent(1);
       use(getprotoent());
       endprotoent();
     }},
    {"getnetbyname, getnetent",
     [] {
       use(getnetbyname("loopback"));
       setnetent(1);
       use(getnetent());
       endnetent();
     }},
    {"getrpcbyname",
     [] {
       setrpcent(1);
       use(getrpcent());
       endrpcent();
     }},
    {"innetgr, setnetgrent",
     [] {
       use(innetgr("group", "host", "user", "domain"));
       char *host = nullptr, *user = nullptr, *domain = nullptr;
       setnetgrent("group");
       use(getnetgrent(&host, &user, &domain));
       endnetgrent();
     }},
    {"getaliasbyname", [] { use(getaliasbyname("postmaster")); }},
    {"ether_ntohost, ether_hostton, ether_aton",
     [] {
       ether_addr address{};
       char name[200];
       use(ether_ntohost(name, &address));
       use(ether_hostton("localhost", &address));
       use(ether_aton("1:2:3:4:5:6"));
       use(ether_ntoa(&address));
     }},
    {"inet_ntoa, inet_ntop, inet_pton",
     [] {
       const in_addr address{htonl(INADDR_LOOPBACK)};
       char text[50];
       use(inet_ntoa(address));
       use(inet_ntop(AF_INET, &address, text, sizeof text));
       use(inet_addr("127.0.0.1"));
     }},
    {"getifaddrs, if_nameindex",
     [] {
       ifaddrs* list = nullptr;
       if (getifaddrs(&list) == 0) freeifaddrs(list);
       if (auto* names = if_nameindex(); names != nullptr) if_freenameindex(names);
     }},
    {"res_init", [] { use(res_init()); }},
    {"res_query",
     [] {
       unsigned char answer[512];
       use(res_query("no.such.host.invalid", 1, 1, answer, sizeof answer));
     }},
    {"gethostname, gethostid, getdomainname",
     [] {
       char name[200];
       use(gethostname(name, sizeof name));
       use(gethostid());
       use(getdomainname(name, sizeof name));
     }},
    {"getlogin, cuserid, ttyname",
     [] {
       use(getlogin());
       use(ttyname(0));
       use(ctermid(nullptr));
     }},
    {"getutxent",
     [] {
       setutxent();
       use(getutxent());
       endutxent();
     }},
    {"setmntent, getmntent",
     [] {
       if (FILE* table = setmntent("/proc/mounts", "r"); table != nullptr) {
         use(getmntent(table));
         endmntent(table);
       }
     }},
    {"getusershell",
     [] {
       setusershell();
       use(getusershell());
       endusershell();
     }},
    {"dlopen, dlsym, dlclose",
     [] {
       void* library = dlopen("libanl.so.1", RTLD_NOW);
       if (library == nullptr) library = dlopen("libm.so.6", RTLD_NOW);
       use(dlsym(library, "cos"));
       dlclose(library);
     }},
    {"dlopen for all",
     [] {
       if (void* library = dlopen("libutil.so.1", RTLD_LAZY | RTLD_GLOBAL); library != nullptr)
         dlclose(library);
     }},
    {"dlopen that fails, dlerror",
     [] {
       use(dlopen("/no/such/library.so", RTLD_NOW));
       use(dlerror());
     }},
    {"dlsym that fails",
     [] {
       use(dlsym(RTLD_DEFAULT, "no_such_symbol_at_all"));
       use(dlerror());
     }},
    {"dlsym that fails, unread", [] { use(dlsym(RTLD_NEXT, "no_such_symbol_at_all")); }},
    {"dlvsym, dladdr, dlinfo",
     [] {
       use(dlvsym(RTLD_DEFAULT, "malloc", "NO_SUCH_VERSION"));
       Dl_info info;
       use(dladdr(reinterpret_cast<void*>(&getpwnam), &info));
       void* self = dlopen(nullptr, RTLD_NOW);
       link_map* map = nullptr;
       use(dlinfo(self, RTLD_DI_LINKMAP, &map));
       dlclose(self);
       use(dlerror());
     }},
    {"dlmopen",
     [] {
       if (void* library = dlmopen(LM_ID_BASE, "libm.so.6", RTLD_NOW); library != nullptr)
         dlclose(library);
     }},
    {"dl_iterate_phdr",
     [] {
       int n = 0;
       dl_iterate_phdr(
           [](dl_phdr_info*, size_t, void* count) { return ++*static_cast<int*>(count), 0; }, &n);
     }},
    {"gnu_get_libc_version, confstr, sysconf",
     [] {
       use(gnu_get_libc_version());
       char text[100];
       use(confstr(_CS_PATH, text, sizeof text));
       use(sysconf(_SC_NPROCESSORS_ONLN));
     }},
};

}  // namespace

std::span<const Call> calls_of_names() { return kCalls; }

}  // namespace roam_test
