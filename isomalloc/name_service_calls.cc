// Users, groups, hosts and services: libc loads who answers at the first call, and keeps that and
// the last answer.

#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <shadow.h>
#include <sys/socket.h>

#include "isomalloc/process_call.h"

// Users and groups.
ROAM_PROCESS_CALL(struct passwd*, getpwnam, (const char* name), (name))
ROAM_PROCESS_CALL(int, getpwnam_r,
                  (const char* name, struct passwd* result, char* room, size_t bytes,
                   struct passwd** found),
                  (name, result, room, bytes, found))
ROAM_PROCESS_CALL(struct passwd*, getpwuid, (uid_t id), (id))
ROAM_PROCESS_CALL(int, getpwuid_r,
                  (uid_t id, struct passwd* result, char* room, size_t bytes,
                   struct passwd** found),
                  (id, result, room, bytes, found))
ROAM_PROCESS_CALL(struct group*, getgrnam, (const char* name), (name))
ROAM_PROCESS_CALL(int, getgrnam_r,
                  (const char* name, struct group* result, char* room, size_t bytes,
                   struct group** found),
                  (name, result, room, bytes, found))
ROAM_PROCESS_CALL(struct group*, getgrgid, (gid_t id), (id))
ROAM_PROCESS_CALL(int, getgrgid_r,
                  (gid_t id, struct group* result, char* room, size_t bytes, struct group** found),
                  (id, result, room, bytes, found))
ROAM_PROCESS_CALL(struct spwd*, getspnam, (const char* name), (name))
ROAM_PROCESS_CALL(int, getspnam_r,
                  (const char* name, struct spwd* result, char* room, size_t bytes,
                   struct spwd** found),
                  (name, result, room, bytes, found))
ROAM_PROCESS_CALL(struct passwd*, getpwent, (), ())
ROAM_PROCESS_CALL(int, getpwent_r,
                  (struct passwd * result, char* room, size_t bytes, struct passwd** found),
                  (result, room, bytes, found))
ROAM_PROCESS_CALL(struct group*, getgrent, (), ())
ROAM_PROCESS_CALL(int, getgrent_r,
                  (struct group * result, char* room, size_t bytes, struct group** found),
                  (result, room, bytes, found))
ROAM_PROCESS_CALL(void, setpwent, (), ())
ROAM_PROCESS_CALL(void, endpwent, (), ())
ROAM_PROCESS_CALL(void, setgrent, (), ())
ROAM_PROCESS_CALL(void, endgrent, (), ())
ROAM_PROCESS_CALL(int, getgrouplist, (const char* user, gid_t group, gid_t* groups, int* count),
                  (user, group, groups, count))
ROAM_PROCESS_CALL(int, initgroups, (const char* user, gid_t group), (user, group))

// Hosts and networks.
ROAM_PROCESS_CALL(int, getnameinfo,
                  (const sockaddr* address, socklen_t bytes, char* host, socklen_t host_bytes,
                   char* service, socklen_t service_bytes, int flags),
                  (address, bytes, host, host_bytes, service, service_bytes, flags))
ROAM_PROCESS_CALL(struct hostent*, gethostbyname, (const char* name), (name))
ROAM_PROCESS_CALL(int, gethostbyname_r,
                  (const char* name, struct hostent* result, char* room, size_t bytes,
                   struct hostent** found, int* error),
                  (name, result, room, bytes, found, error))
ROAM_PROCESS_CALL(struct hostent*, gethostbyname2, (const char* name, int family), (name, family))
ROAM_PROCESS_CALL(int, gethostbyname2_r,
                  (const char* name, int family, struct hostent* result, char* room, size_t bytes,
                   struct hostent** found, int* error),
                  (name, family, result, room, bytes, found, error))
ROAM_PROCESS_CALL(struct hostent*, gethostbyaddr,
                  (const void* address, socklen_t address_bytes, int family),
                  (address, address_bytes, family))
ROAM_PROCESS_CALL(int, gethostbyaddr_r,
                  (const void* address, socklen_t address_bytes, int family, struct hostent* result,
                   char* room, size_t bytes, struct hostent** found, int* error),
                  (address, address_bytes, family, result, room, bytes, found, error))
ROAM_PROCESS_CALL(struct hostent*, gethostent, (), ())
ROAM_PROCESS_CALL(int, gethostent_r,
                  (struct hostent * result, char* room, size_t bytes, struct hostent** found,
                   int* error),
                  (result, room, bytes, found, error))
ROAM_PROCESS_CALL(struct netent*, getnetbyname, (const char* name), (name))
ROAM_PROCESS_CALL(int, getnetbyname_r,
                  (const char* name, struct netent* result, char* room, size_t bytes,
                   struct netent** found, int* error),
                  (name, result, room, bytes, found, error))
ROAM_PROCESS_CALL(struct netent*, getnetbyaddr, (uint32_t net, int family), (net, family))
ROAM_PROCESS_CALL(int, getnetbyaddr_r,
                  (uint32_t net, int family, struct netent* result, char* room, size_t bytes,
                   struct netent** found, int* error),
                  (net, family, result, room, bytes, found, error))

// Services and protocols.
ROAM_PROCESS_CALL(struct servent*, getservbyname, (const char* name, const char* protocol),
                  (name, protocol))
ROAM_PROCESS_CALL(int, getservbyname_r,
                  (const char* name, const char* protocol, struct servent* result, char* room,
                   size_t bytes, struct servent** found),
                  (name, protocol, result, room, bytes, found))
ROAM_PROCESS_CALL(struct servent*, getservbyport, (int port, const char* protocol),
                  (port, protocol))
ROAM_PROCESS_CALL(int, getservbyport_r,
                  (int port, const char* protocol, struct servent* result, char* room, size_t bytes,
                   struct servent** found),
                  (port, protocol, result, room, bytes, found))
ROAM_PROCESS_CALL(struct servent*, getservent, (), ())
ROAM_PROCESS_CALL(int, getservent_r,
                  (struct servent * result, char* room, size_t bytes, struct servent** found),
                  (result, room, bytes, found))
ROAM_PROCESS_CALL(struct protoent*, getprotobyname, (const char* name), (name))
ROAM_PROCESS_CALL(int, getprotobyname_r,
                  (const char* name, struct protoent* result, char* room, size_t bytes,
                   struct protoent** found),
                  (name, result, room, bytes, found))
ROAM_PROCESS_CALL(struct protoent*, getprotobynumber, (int number), (number))
ROAM_PROCESS_CALL(int, getprotobynumber_r,
                  (int number, struct protoent* result, char* room, size_t bytes,
                   struct protoent** found),
                  (number, result, room, bytes, found))
ROAM_PROCESS_CALL(struct protoent*, getprotoent, (), ())
ROAM_PROCESS_CALL(int, getprotoent_r,
                  (struct protoent * result, char* room, size_t bytes, struct protoent** found),
                  (result, room, bytes, found))
ROAM_PROCESS_CALL(void, sethostent, (int stay_open), (stay_open))
ROAM_PROCESS_CALL(void, endhostent, (), ())
ROAM_PROCESS_CALL(void, setnetent, (int stay_open), (stay_open))
ROAM_PROCESS_CALL(void, endnetent, (), ())
ROAM_PROCESS_CALL(void, setservent, (int stay_open), (stay_open))
ROAM_PROCESS_CALL(void, endservent, (), ())
ROAM_PROCESS_CALL(void, setprotoent, (int stay_open), (stay_open))
ROAM_PROCESS_CALL(void, endprotoent, (), ())
