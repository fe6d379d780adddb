/* The face of the original isomalloc, from C: compiled as C, so that the headers stay C. */
#include <roam/converse.h>
#include <roam/isomalloc.h>
#include <stdlib.h>
#include <string.h>

struct node {
  struct node* next;
  int value;
};

static void pup_list(pup_er p, struct node** list, int* count) {
  pup_int(p, count);
  CmiIsomallocPup(p, (void**)list);
}

/* Returns 0, or the line of the first thing that is wrong. */
#define REQUIRE(condition) \
  if (!(condition)) return __LINE__

int run_converse_in_c(void);
int run_converse_in_c(void) {
  int count = 100, i, local = 0;
  struct node* list = (struct node*)CmiIsomalloc((int)sizeof(struct node) * count);
  struct node* where = list;
  struct node* at;
  REQUIRE(list != NULL);
  REQUIRE(CmiIsomallocLength(list) == (int)sizeof(struct node) * count);
  REQUIRE(CmiIsomallocInRange(list) == 1 && CmiIsomallocInRange(&local) == 0);
  REQUIRE(iso_length(list) == sizeof(struct node) * 100 && iso_in_range(list));
  for (i = 0; i < count; ++i) {
    list[i].next = i + 1 < count ? &list[i + 1] : NULL;
    list[i].value = i * i;
  }

  pup_er sizer = pup_new_sizer();
  REQUIRE(pup_isSizing(sizer) && !pup_isPacking(sizer) && !pup_isUnpacking(sizer));
  pup_list(sizer, &list, &count);
  size_t bytes = pup_size(sizer);
  pup_destroy(sizer);
  REQUIRE(bytes > sizeof(struct node) * 100);

  char* buffer = (char*)malloc(bytes);
  pup_er to = pup_new_toMem(buffer);
  REQUIRE(pup_isPacking(to) && !pup_isDeleting(to));
  pup_set_deleting(to, 1);
  REQUIRE(pup_isDeleting(to));
  pup_list(to, &list, &count);
  REQUIRE(pup_size(to) == bytes);
  pup_destroy(to);

  list = NULL;
  count = 0;
  pup_er from = pup_new_fromMem(buffer);
  REQUIRE(pup_isUnpacking(from) && !pup_isDeleting(from));
  pup_list(from, &list, &count);
  pup_destroy(from);
  free(buffer);
  REQUIRE(list == where && count == 100);
  for (i = 0, at = list; at != NULL; at = at->next, ++i) REQUIRE(at->value == i * i);
  REQUIRE(i == 100);
  CmiIsomallocFree(list);
  iso_free(iso_malloc(10));
  return 0;
}
