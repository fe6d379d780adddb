// One-sided communication: each synchronisation, each operation, datatypes on both sides.
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { kCells = 64 };

static void fill(long* cells, int count, long value) {
  for (int i = 0; i < count; ++i) cells[i] = value + i;
}
static long total(const long* cells, int count) {
  long sum = 0;
  for (int i = 0; i < count; ++i) sum = sum * 31 + cells[i];
  return sum;
}

// Active target: neighbours write, read and add between fences.
static void fences(void) {
  static long cells[kCells], got[kCells], out[kCells];
  MPI_Win window;
  fill(cells, kCells, me * 1000);
  MPI_Win_create(cells, sizeof cells, sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Win_fence(MPI_MODE_NOPRECEDE, window);
  fill(out, kCells, -me * 100);
  MPI_Put(out, 10, MPI_LONG, right, 3, 10, MPI_LONG, window);
  MPI_Win_fence(0, window);
  memset(out, 0, sizeof out);  // MPICH 4.2 reads it up to here
  say("put: %ld", total(cells, kCells));
  MPI_Get(got, kCells, MPI_LONG, left, 0, kCells, MPI_LONG, window);
  MPI_Win_fence(0, window);
  say("got: %ld", total(got, kCells));
  fill(out, kCells, me + 1);
  for (int i = 0; i < n; ++i)
    MPI_Accumulate(out, 20, MPI_LONG, i, 30, 20, MPI_LONG, MPI_SUM, window);
  MPI_Accumulate(out, 1, MPI_LONG, right, 60, 1, MPI_LONG, MPI_REPLACE, window);
  MPI_Put(out, 1, MPI_LONG, MPI_PROC_NULL, 0, 1, MPI_LONG, window);
  MPI_Win_fence(MPI_MODE_NOSUCCEED, window);
  say("added: %ld", total(cells, kCells));
  MPI_Win_free(&window);
  say("freed: %d", window == MPI_WIN_NULL);
}

// More than goes in one message, in rows that are apart on both sides.
static void datatypes(void) {
  enum { kRows = 300, kColumns = 200 };
  static int matrix[kRows][kColumns], other[kColumns][kRows];
  MPI_Win window;
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kColumns; ++j) matrix[i][j] = me * 1000000 + i * 1000 + j;
  memset(other, 0, sizeof other);
  MPI_Datatype column, transposed;
  MPI_Type_vector(kRows, 1, kColumns, MPI_INT, &column);
  MPI_Type_create_hvector(kColumns, 1, sizeof(int), column, &transposed);
  MPI_Type_commit(&transposed);
  MPI_Win_create(matrix, sizeof matrix, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_fence(0, window);
  MPI_Get(other, kRows * kColumns, MPI_INT, (me + 1) % n, 0, 1, transposed, window);
  MPI_Win_fence(0, window);
  say("transposed: %ld", sum_of(&other[0][0], kRows * kColumns));
  MPI_Put(other, kRows * kColumns, MPI_INT, (me + n - 1) % n, 0, 1, transposed, window);
  MPI_Win_fence(0, window);
  say("and back: %ld", sum_of(&matrix[0][0], kRows * kColumns));
  MPI_Win_fence(0, window);  // it has been looked at
  MPI_Accumulate(other, 1, transposed, (me + 1) % n, 0, kRows * kColumns, MPI_INT, MPI_SUM, window);
  MPI_Win_fence(0, window);
  say("summed: %ld", sum_of(&matrix[0][0], kColumns * kRows));
  MPI_Win_free(&window);
  // Pairs have a gap, which nobody touches.
  struct {
    double value;
    int place;
  } pairs[5], mine[5];
  memset(pairs, 0, sizeof pairs);
  for (int i = 0; i < 5; ++i) {
    mine[i].value = (me * 7 + i * 3) % 5;
    mine[i].place = me;
    pairs[i].value = -1;
    pairs[i].place = -1;
  }
  MPI_Win_create(pairs, sizeof pairs, sizeof pairs[0], MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_fence(0, window);
  for (int i = 0; i < n; ++i)
    MPI_Accumulate(mine, 5, MPI_DOUBLE_INT, i, 0, 5, MPI_DOUBLE_INT, MPI_MAXLOC, window);
  MPI_Win_fence(0, window);
  for (int i = 0; i < 5; ++i) say("largest %d: %g at %d", i, pairs[i].value, pairs[i].place);
  MPI_Win_free(&window);
  struct {
    short value;
    int place;
  } small[3], least[3];
  for (int i = 0; i < 3; ++i) {
    small[i].value = (short)(100 + i);
    small[i].place = 77;
    least[i].value = (short)((me * 5 + i) % 7);
    least[i].place = me;
  }
  MPI_Win_create(small, sizeof small, sizeof small[0], MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_fence(0, window);
  for (int i = 0; i < n; ++i)
    MPI_Accumulate(least, 3, MPI_SHORT_INT, i, 0, 3, MPI_SHORT_INT, MPI_MINLOC, window);
  MPI_Win_fence(0, window);
  for (int i = 0; i < 3; ++i) say("least %d: %d at %d", i, small[i].value, small[i].place);
  MPI_Win_free(&window);
  MPI_Type_free(&column);
  MPI_Type_free(&transposed);
}

// Every rank but itself exposes and accesses: groups of members.
static void groups(void) {
  long* cells;
  MPI_Win window;
  MPI_Group all, others;
  MPI_Win_allocate(kCells * sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells,
                   &window);
  fill(cells, kCells, 0);
  MPI_Win_get_group(window, &all);
  MPI_Group_excl(all, 1, &me, &others);
  for (int round = 0; round < 5; ++round) {
    long value = me * 10 + round;
    MPI_Win_post(others, 0, window);
    MPI_Win_start(others, 0, window);
    for (int i = 0; i < n; ++i)
      if (i != me) MPI_Put(&value, 1, MPI_LONG, i, me, 1, MPI_LONG, window);
    MPI_Win_complete(window);
    if (round % 2 == 0) {
      MPI_Win_wait(window);
    } else {
      for (int done = 0; !done;) MPI_Win_test(window, &done);
    }
    say("round %d: %ld", round, total(cells, n));
  }
  MPI_Group_free(&all);
  MPI_Group_free(&others);
  MPI_Win_free(&window);
}

// Passive target: the targets only wait in a barrier, or receive.
static void locks(void) {
  long* cells;
  MPI_Win window;
  MPI_Win_allocate(kCells * sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells,
                   &window);
  MPI_Win_lock(MPI_LOCK_EXCLUSIVE, me, 0, window);
  fill(cells, kCells, 0);
  MPI_Win_unlock(me, window);
  MPI_Barrier(MPI_COMM_WORLD);
  for (int i = 0; i < 20; ++i) {  // read, change, write: only a lock makes that one step
    const int target = (me + i) % n;
    long value;
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, target, 0, window);
    MPI_Get(&value, 1, MPI_LONG, target, 5, 1, MPI_LONG, window);
    MPI_Win_flush(target, window);
    value += me + 1;
    MPI_Put(&value, 1, MPI_LONG, target, 5, 1, MPI_LONG, window);
    MPI_Win_unlock(target, window);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_lock(MPI_LOCK_SHARED, me, 0, window);
  say("counted: %ld", cells[5]);
  MPI_Win_unlock(me, window);
  // Rank 0 sleeps in a receive while the others work on its memory.
  if (me == 0) {
    for (int i = 1; i < n; ++i) MPI_Recv(NULL, 0, MPI_INT, i, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } else {
    MPI_Win_lock_all(0, window);
    for (long i = 0; i < 10; ++i) {
      long before;
      MPI_Fetch_and_op(&i, &before, MPI_LONG, 0, 7, MPI_SUM, window);
      MPI_Win_flush_local(0, window);
      MPI_Accumulate(&i, 1, MPI_LONG, 0, 8, 1, MPI_LONG, MPI_MAX, window);
      MPI_Win_flush_local(0, window);  // before i changes
    }
    MPI_Win_flush_all(window);
    MPI_Win_unlock_all(window);
    MPI_Send(NULL, 0, MPI_INT, 0, 9, MPI_COMM_WORLD);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
  long both[2];
  MPI_Get(both, 2, MPI_LONG, 0, 7, 2, MPI_LONG, window);
  MPI_Win_unlock(0, window);
  say("fetched: %ld %ld - %ld", both[0], both[1], 45L * (n - 1));
  MPI_Win_free(&window);
}

// A counter from which each ticket is drawn once; a chain of compare and swap; the old contents.
static void atomics(void) {
  long* cells;
  MPI_Win window;
  MPI_Win_allocate(kCells * sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells,
                   &window);
  fill(cells, kCells, 0);
  cells[0] = cells[1] = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
  const long one = 1;
  long drawn[10], sum = 0, all;
  for (int i = 0; i < 10; ++i) {
    MPI_Fetch_and_op(&one, &drawn[i], MPI_LONG, 0, 0, MPI_SUM, window);
    MPI_Win_flush(0, window);
    sum += drawn[i];
  }
  MPI_Reduce(&sum, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
  int rising = 1;
  for (int i = 1; i < 10; ++i) rising = rising && drawn[i] > drawn[i - 1];
  say("tickets rise: %d", rising);
  if (me == 0) say("tickets: %ld", all);
  for (long seen = -1, mine; seen != me;) {  // each in its turn
    mine = me + 1;
    const long turn = me;
    MPI_Compare_and_swap(&mine, &turn, &seen, MPI_LONG, n - 1, 1, window);
    MPI_Win_flush(n - 1, window);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  long last;
  MPI_Fetch_and_op(NULL, &last, MPI_LONG, n - 1, 1, MPI_NO_OP, window);
  MPI_Win_flush(n - 1, window);
  say("turns: %ld", last);
  MPI_Barrier(MPI_COMM_WORLD);
  const int right = (me + 1) % n;
  long out[8], old[8], now[8];
  fill(out, 8, me * 100);
  MPI_Get_accumulate(out, 8, MPI_LONG, old, 8, MPI_LONG, right, 20, 8, MPI_LONG, MPI_REPLACE,
                     window);
  MPI_Get_accumulate(NULL, 0, MPI_LONG, now, 8, MPI_LONG, right, 20, 8, MPI_LONG, MPI_NO_OP,
                     window);
  MPI_Win_flush(right, window);
  say("replaced %ld by %ld", total(old, 8), total(now, 8));
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
}

// Each predefined operation on a window of several types, with what was there before.
static void operations(void) {
  const MPI_Op ops[] = {MPI_MAX, MPI_MIN, MPI_SUM,  MPI_PROD, MPI_LAND,    MPI_BAND,
                        MPI_LOR, MPI_BOR, MPI_LXOR, MPI_BXOR, MPI_REPLACE, MPI_NO_OP};
  static unsigned char small[12];
  static int middle[12];
  static float large[12];
  MPI_Win windows[3];
  MPI_Win_create(small, sizeof small, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &windows[0]);
  MPI_Win_create(middle, sizeof middle, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &windows[1]);
  MPI_Win_create(large, sizeof large, sizeof(float), MPI_INFO_NULL, MPI_COMM_WORLD, &windows[2]);
  for (int i = 0; i < 12; ++i) {
    small[i] = (unsigned char)(me + 12);
    middle[i] = me - 3;
    large[i] = (float)me / 2;
  }
  for (int i = 0; i < 3; ++i) MPI_Win_fence(0, windows[i]);
  const unsigned char byte = (unsigned char)(me * 3 + 1);
  const int number = me + 5;
  const float real = (float)me * 1.5f;
  const int right = (me + 1) % n;
  static unsigned char old_bytes[12];
  static int old_numbers[12];
  static float old_reals[12];
  for (int i = 0; i < 12; ++i) {
    MPI_Get_accumulate(&byte, 1, MPI_UNSIGNED_CHAR, &old_bytes[i], 1, MPI_UNSIGNED_CHAR, right, i,
                       1, MPI_UNSIGNED_CHAR, ops[i], windows[0]);
    MPI_Get_accumulate(&number, 1, MPI_INT, &old_numbers[i], 1, MPI_INT, right, i, 1, MPI_INT,
                       ops[i], windows[1]);
    if (i < 4 || i > 9)
      MPI_Get_accumulate(&real, 1, MPI_FLOAT, &old_reals[i], 1, MPI_FLOAT, right, i, 1, MPI_FLOAT,
                         ops[i], windows[2]);
    else
      old_reals[i] = 0;
  }
  for (int i = 0; i < 3; ++i) MPI_Win_fence(0, windows[i]);
  for (int i = 0; i < 12; ++i)
    say("operation %d: %d was %d, %d was %d, %g was %g", i, small[i], old_bytes[i], middle[i],
        old_numbers[i], large[i], old_reals[i]);
  for (int i = 0; i < 3; ++i) MPI_Win_free(&windows[i]);
}

static void requests(void) {
  enum { kMany = 50000 };
  static int cells[kMany], out[kMany], in[kMany], old[kMany];
  MPI_Win window;
  for (int i = 0; i < kMany; ++i) {
    cells[i] = i * me;
    out[i] = i + me;
  }
  MPI_Win_create(cells, sizeof cells, sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Win_lock_all(0, window);
  MPI_Request request[3];
  MPI_Rget(in, kMany, MPI_INT, left, 0, kMany, MPI_INT, window, &request[0]);
  MPI_Wait(&request[0], MPI_STATUS_IGNORE);
  say("rget: %ld", sum_of(in, kMany));
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Rput(out, kMany, MPI_INT, right, 0, kMany, MPI_INT, window, &request[0]);
  MPI_Win_flush(right, window);  // puts and accumulates have no order
  MPI_Raccumulate(out, kMany, MPI_INT, right, 0, kMany, MPI_INT, MPI_REPLACE, window, &request[1]);
  MPI_Rget_accumulate(out, kMany, MPI_INT, old, kMany, MPI_INT, right, 0, kMany, MPI_INT, MPI_SUM,
                      window, &request[2]);
  for (int i = 0; i < 3; ++i) MPI_Wait(&request[i], MPI_STATUS_IGNORE);
  MPI_Win_flush_all(window);
  say("rget_accumulate: %ld", sum_of(old, kMany));
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_sync(window);
  say("raccumulate: %ld", sum_of(cells, kMany));
  MPI_Rget(in, 1, MPI_INT, MPI_PROC_NULL, 0, 1, MPI_INT, window, &request[0]);
  MPI_Wait(&request[0], MPI_STATUS_IGNORE);
  say("from nobody: %d", request[0] == MPI_REQUEST_NULL);
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
}

static void dynamic(void) {
  MPI_Win window;
  MPI_Win_create_dynamic(MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  long* cells = malloc(kCells * sizeof(long));
  fill(cells, kCells, me * 10);
  MPI_Win_attach(window, cells, kCells * sizeof(long));
  MPI_Aint here, there[100];
  MPI_Get_address(cells, &here);
  MPI_Allgather(&here, 1, MPI_AINT, there, 1, MPI_AINT, MPI_COMM_WORLD);
  const int right = (me + 1) % n;
  long got[8];
  MPI_Win_lock(MPI_LOCK_SHARED, right, 0, window);
  MPI_Get(got, 8, MPI_LONG, right, MPI_Aint_add(there[right], 16), 8, MPI_LONG, window);
  MPI_Win_unlock(right, window);
  say("dynamic: %ld", total(got, 8));
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_fence(0, window);
  MPI_Put(got, 8, MPI_LONG, right, there[right], 8, MPI_LONG, window);
  MPI_Win_fence(0, window);
  say("dynamic: %ld", total(cells, kCells));
  MPI_Win_detach(window, cells);
  MPI_Win_free(&window);
  free(cells);
}

// Who shares memory is another matter in each run, so each says what is alike.
static void shared(void) {
  MPI_Comm node;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int rank, size, unit;
  MPI_Comm_rank(node, &rank);
  MPI_Comm_size(node, &size);
  for (int apart = 0; apart < 2; ++apart) {
    MPI_Info info;
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", apart ? "true" : "false");
    int* mine;
    MPI_Win window;
    MPI_Win_allocate_shared(10 * sizeof(int), sizeof(int), info, node, &mine, &window);
    MPI_Info_free(&info);
    MPI_Win_lock_all(0, window);
    for (int i = 0; i < 10; ++i) mine[i] = rank * 10 + i;
    MPI_Win_sync(window);
    MPI_Barrier(node);
    MPI_Win_sync(window);
    int wrong = 0;
    for (int r = 0; r < size; ++r) {
      int* theirs;
      MPI_Aint bytes;
      MPI_Win_shared_query(window, r, &bytes, &unit, &theirs);
      wrong += bytes != 10 * sizeof(int) || unit != sizeof(int);
      wrong += !apart && theirs != mine + (r - rank) * 10;
      for (int i = 0; i < 10; ++i) wrong += theirs[i] != r * 10 + i;
    }
    MPI_Barrier(node);
    const int one = 1;
    for (int i = 0; i < 10; ++i)
      MPI_Accumulate(&one, 1, MPI_INT, 0, i, 1, MPI_INT, MPI_SUM, window);
    MPI_Win_unlock_all(window);
    MPI_Barrier(node);
    if (rank == 0)
      for (int i = 0; i < 10; ++i) wrong += mine[i] != i + size;
    say("shared %d: %d wrong", apart, wrong);
    MPI_Win_free(&window);
  }
  MPI_Comm_free(&node);
}

// ---- what is known of windows ----

static int removed;
static int remove_attribute(MPI_Win window, int keyval, void* value, void* extra) {
  (void)window, (void)keyval;
  removed += (int)(long)value + (int)(long)extra;
  return MPI_SUCCESS;
}
static int heard;
static void hear(MPI_Win* window, int* code, ...) {
  int class;
  (void)window;
  MPI_Error_class(*code, &class);
  heard = class;
}

static void known(void) {
  static double cells[10];
  MPI_Win window;
  MPI_Win_create(cells, sizeof cells, sizeof(double), MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  void* base;
  MPI_Aint* size;
  int *unit, *flavor, *model, flag;
  MPI_Win_get_attr(window, MPI_WIN_BASE, &base, &flag);
  MPI_Win_get_attr(window, MPI_WIN_SIZE, &size, &flag);
  MPI_Win_get_attr(window, MPI_WIN_DISP_UNIT, &unit, &flag);
  MPI_Win_get_attr(window, MPI_WIN_CREATE_FLAVOR, &flavor, &flag);
  MPI_Win_get_attr(window, MPI_WIN_MODEL, &model, &flag);
  say("attributes: %d %ld %d %d %d", base == (void*)cells, (long)*size, *unit,
      *flavor == MPI_WIN_FLAVOR_CREATE, *model == MPI_WIN_UNIFIED);
  int keyval, length;
  MPI_Win_create_keyval(MPI_WIN_NULL_COPY_FN, remove_attribute, &keyval, (void*)100);
  MPI_Win_set_attr(window, keyval, (void*)5);
  void* value;
  MPI_Win_get_attr(window, keyval, &value, &flag);
  say("own attribute: %d %d", flag, (int)(long)value);
  MPI_Win_delete_attr(window, keyval);
  MPI_Win_get_attr(window, keyval, &value, &flag);
  say("removed: %d %d", flag, removed);
  MPI_Win_set_attr(window, keyval, (void*)7);
  MPI_Win_free_keyval(&keyval);
  char name[MPI_MAX_OBJECT_NAME];
  MPI_Win_set_name(window, "cells");
  MPI_Win_get_name(window, name, &length);
  say("name: %s %d", name, length);
  MPI_Info info;
  MPI_Win_get_info(window, &info);
  char order[100];
  MPI_Info_get(info, "accumulate_ordering", 99, order, &flag);
  say("info: %d %s", flag, order);
  MPI_Info_free(&info);

  MPI_Errhandler handler, before;
  MPI_Win_create_errhandler(hear, &handler);
  MPI_Win_set_errhandler(window, handler);
  MPI_Win_get_errhandler(window, &before);
  say("handler: %d", before == handler);
  MPI_Put(cells, 1, MPI_DOUBLE, n, 0, 1, MPI_DOUBLE, window);
  say("no such rank: %d", heard == MPI_ERR_RANK);
  MPI_Win_unlock(0, window);
  say("not locked: %d", heard == MPI_ERR_RMA_SYNC);
  MPI_Win_call_errhandler(window, MPI_ERR_OTHER);
  say("called: %d", heard == MPI_ERR_OTHER);
  MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
  say("returned: %d", MPI_Win_call_errhandler(window, MPI_ERR_OTHER) == MPI_SUCCESS);
  MPI_Errhandler_free(&handler);
  MPI_Win_free(&window);
  say("removed: %d", removed);
}

// One wants the lock of its own window, another one after it; a third gives both theirs at once.
static void queues(void) {
  MPI_Win window;
  static int own;
  int seen = -1;
  own = 40 + me;
  MPI_Win_create(&own, sizeof own, sizeof own, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  if (me == n - 1) MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == n - 1) {
    usleep(30000);
    MPI_Put(&(int){70}, 1, MPI_INT, 0, 0, 1, MPI_INT, window);
    MPI_Win_unlock(0, window);
  } else {
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
    MPI_Get(&seen, 1, MPI_INT, 0, 0, 1, MPI_INT, window);
    MPI_Win_unlock(0, window);
    say("after the lock: %d", seen);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_free(&window);
}

// Many fetches under way.
static void many(void) {
  enum { kMany = 3000 };
  static int cell;
  static int got[kMany];
  MPI_Win window;
  long sum = 0;
  cell = me;
  MPI_Win_create(&cell, sizeof cell, sizeof cell, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
  MPI_Win_lock_all(0, window);
  for (int i = 0; i < kMany; ++i)
    MPI_Get(&got[i], 1, MPI_INT, (me + 1) % n, 0, 1, MPI_INT, window);
  MPI_Win_flush((me + 1) % n, window);
  for (int i = 0; i < kMany; ++i) sum += got[i];
  say("sum of many %ld", sum);
  MPI_Win_unlock_all(window);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_free(&window);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  fences();
  datatypes();
  groups();
  locks();
  atomics();
  operations();
  requests();
  dynamic();
  shared();
  known();
  queues();
  many();
  MPI_Finalize();
}
