/* The pack/unpack/size traversal, for C. From C++ use roam/pup.h; a pup_er is a roam::Pup*. */
#ifndef ROAM_PUP_C_H_
#define ROAM_PUP_C_H_

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void* pup_er; /* NOLINT(modernize-use-using): C */

/* A traversal that counts bytes; one that writes to or reads from memory of pup_size bytes; one
 * that writes to or reads from an open file. pup_destroy ends each of them. */
pup_er pup_new_sizer(void);
pup_er pup_new_toMem(void* buffer);
pup_er pup_new_fromMem(const void* buffer);
pup_er pup_new_toDisk(FILE* file);
pup_er pup_new_fromDisk(FILE* file);
void pup_destroy(pup_er p);

/* Bytes traversed so far. */
size_t pup_size(pup_er p);

int pup_isSizing(const pup_er p);
int pup_isPacking(const pup_er p);
int pup_isUnpacking(const pup_er p);
/* A packer that deletes: isomalloc blocks are freed once packed. Set with pup_set_deleting. */
int pup_isDeleting(const pup_er p);
void pup_set_deleting(pup_er p, int deleting);

void pup_bytes(pup_er p, void* data, size_t bytes);

#define ROAM_PUP_DECLARE_(name, type)     \
  void pup_##name(pup_er p, type* value); \
  void pup_##name##s(pup_er p, type* values, size_t count);

ROAM_PUP_DECLARE_(char, char)
ROAM_PUP_DECLARE_(short, short)
ROAM_PUP_DECLARE_(int, int)
ROAM_PUP_DECLARE_(long, long)
ROAM_PUP_DECLARE_(uchar, unsigned char)
ROAM_PUP_DECLARE_(ushort, unsigned short)
ROAM_PUP_DECLARE_(uint, unsigned int)
ROAM_PUP_DECLARE_(ulong, unsigned long)
ROAM_PUP_DECLARE_(float, float)
ROAM_PUP_DECLARE_(double, double)
ROAM_PUP_DECLARE_(pointer, void*)
ROAM_PUP_DECLARE_(int8, long long)
ROAM_PUP_DECLARE_(size_t, size_t)
#undef ROAM_PUP_DECLARE_

#ifdef __cplusplus
}
#endif

#endif /* ROAM_PUP_C_H_ */
