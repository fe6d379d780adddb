/* The isomalloc and pup calls as code written for the original uses them, in C11. */
#include <errno.h>
#include <limits.h>
#include <roam/converse.h>
#include <roam/isomalloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char* isomalloc_from_c_failure = "";

#define EXPECT(condition)                               \
  do {                                                  \
    if (!(condition)) {                                 \
      isomalloc_from_c_failure = "not so: " #condition; \
      return 1;                                         \
    }                                                   \
  } while (0)

struct record {
  char c;
  short s;
  int i;
  long l;
  unsigned char uc;
  unsigned short us;
  unsigned int ui;
  unsigned long ul;
  float f;
  double d;
  void* p;
  long long i8;
  size_t z;
  int many[5];
  double reals[3];
  char text[7];
  void* block;
};

static void pup_record(pup_er p, struct record* r) {
  pup_char(p, &r->c);
  pup_short(p, &r->s);
  pup_int(p, &r->i);
  pup_long(p, &r->l);
  pup_uchar(p, &r->uc);
  pup_ushort(p, &r->us);
  pup_uint(p, &r->ui);
  pup_ulong(p, &r->ul);
  pup_float(p, &r->f);
  pup_double(p, &r->d);
  pup_pointer(p, &r->p);
  pup_int8(p, &r->i8);
  pup_size_t(p, &r->z);
  pup_ints(p, r->many, 5);
  pup_doubles(p, r->reals, 3);
  pup_bytes(p, r->text, sizeof r->text);
  CmiIsomallocPup(p, &r->block);
}

static int same_record(const struct record* a, const struct record* b) {
  return a->c == b->c && a->s == b->s && a->i == b->i && a->l == b->l && a->uc == b->uc &&
         a->us == b->us && a->ui == b->ui && a->ul == b->ul && a->f == b->f && a->d == b->d &&
         a->p == b->p && a->i8 == b->i8 && a->z == b->z &&
         memcmp(a->many, b->many, sizeof a->many) == 0 &&
         memcmp(a->reals, b->reals, sizeof a->reals) == 0 &&
         memcmp(a->text, b->text, sizeof a->text) == 0 && a->block == b->block;
}

static void fill(unsigned char* data, size_t bytes, unsigned seed) {
  for (size_t k = 0; k < bytes; ++k)
    data[k] = (unsigned char)(seed = seed * 1103515245u + 12345u, seed >> 16);
}

static int filled(const unsigned char* data, size_t bytes, unsigned seed) {
  for (size_t k = 0; k < bytes; ++k) {
    seed = seed * 1103515245u + 12345u;
    if (data[k] != (unsigned char)(seed >> 16)) return 0;
  }
  return 1;
}

static int blocks(void) {
  unsigned char* block = CmiIsomalloc(10000);
  EXPECT(block != NULL);
  EXPECT(CmiIsomallocLength(block) == 10000);
  EXPECT(iso_length(block) == 10000);
  EXPECT(CmiIsomallocInRange(block) == 1 && CmiIsomallocInRange(block + 9999) == 1);
  EXPECT(iso_in_range(block) == 1);
  fill(block, 10000, 1);
  EXPECT(filled(block, 10000, 1));
  CmiIsomallocFree(block);
  errno = 0;
  EXPECT(iso_malloc((size_t)1 << 62) == NULL && errno == ENOMEM);
  errno = 0;
  EXPECT(iso_malloc(SIZE_MAX) == NULL && errno == ENOMEM);
  return 0;
}

static int traversal(void) {
  struct record before = {
      'c',  -3,  -70000,  LONG_MIN,  200,      60000,           4000000000u,        ULONG_MAX,
      1.5f, 0.1, &before, LLONG_MIN, SIZE_MAX, {1, 2, 3, 4, 5}, {0.5, 0.25, 0.125}, "letter",
      NULL};
  before.block = CmiIsomalloc(5000);
  fill(before.block, 5000, 2);

  pup_er sizer = pup_new_sizer();
  EXPECT(pup_isSizing(sizer) && !pup_isPacking(sizer) && !pup_isUnpacking(sizer) &&
         !pup_isDeleting(sizer));
  pup_record(sizer, &before);
  const size_t bytes = pup_size(sizer);
  pup_destroy(sizer);
  EXPECT(bytes > 5000);

  char* image = malloc(bytes);
  pup_er packer = pup_new_toMem(image);
  pup_set_deleting(packer, 1);
  EXPECT(!pup_isSizing(packer) && pup_isPacking(packer) && !pup_isUnpacking(packer) &&
         pup_isDeleting(packer));
  struct record leaving = before;
  pup_record(packer, &leaving);
  EXPECT(pup_size(packer) == bytes);
  pup_destroy(packer);

  struct record after;
  memset(&after, 0, sizeof after);
  pup_er unpacker = pup_new_fromMem(image);
  EXPECT(!pup_isSizing(unpacker) && !pup_isPacking(unpacker) && pup_isUnpacking(unpacker));
  pup_record(unpacker, &after);
  EXPECT(pup_size(unpacker) == bytes);
  pup_destroy(unpacker);
  EXPECT(same_record(&before, &after));
  EXPECT(filled(after.block, 5000, 2));
  EXPECT(CmiIsomallocLength(after.block) == 5000);
  free(image);

  /* And once more through a file; the block is freed between. */
  FILE* file = tmpfile();
  EXPECT(file != NULL);
  pup_er to_disk = pup_new_toDisk(file);
  pup_record(to_disk, &after);
  pup_destroy(to_disk);
  CmiIsomallocFree(after.block);
  rewind(file);
  struct record read;
  memset(&read, 0, sizeof read);
  pup_er from_disk = pup_new_fromDisk(file);
  pup_record(from_disk, &read);
  pup_destroy(from_disk);
  fclose(file);
  EXPECT(same_record(&before, &read));
  EXPECT(filled(read.block, 5000, 2));
  CmiIsomallocFree(read.block);
  return 0;
}

int isomalloc_from_c(void) { return blocks() != 0 || traversal() != 0; }
