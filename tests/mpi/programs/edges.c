// What lies at the edges of the standard. The program itself judges what is right: MPICH 4.0 has
// faults of its own here.
#include <string.h>
#include <unistd.h>

#include "judge.h"

// Others get on with what they wait for.
static void wait_a_while(void) {
  for (int i = 0, flag; i < 50; ++i) {
    MPI_Iprobe(MPI_ANY_SOURCE, 99, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
    usleep(1000);
  }
}

// One has asked for all locks, and loads and stores; the others, each with the lock for itself, wait.
static void stores_under_lock_all(MPI_Win window, volatile long* cell, int who, const char* what) {
  if (me == 0) *cell = 1;
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == who) {
    MPI_Win_lock_all(0, window);
    const long before = *cell;
    MPI_Barrier(MPI_COMM_WORLD);
    wait_a_while();
    expect(*cell == before, what, *cell);
    *cell = before + 1;
    MPI_Win_unlock_all(window);
  } else {
    long value;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
    MPI_Get(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_flush(0, window);
    value += 10;
    MPI_Put(&value, 1, MPI_LONG, 0, 0, 1, MPI_LONG, window);
    MPI_Win_unlock(0, window);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == who) {
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
    expect(*cell == 2 + 10 * (n - 1), what, *cell);
    MPI_Win_unlock(0, window);
  }
  MPI_Win_free(&window);
}
static void locks(void) {
  long *cells, *first;
  MPI_Win window;
  MPI_Win_allocate(sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells, &window);
  stores_under_lock_all(window, cells, 0, "lock_all keeps others from own memory");
  MPI_Aint size;
  int unit;
  MPI_Win_allocate_shared(sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &cells, &window);
  MPI_Win_shared_query(window, 0, &size, &unit, &first);
  stores_under_lock_all(window, first, n - 1, "lock_all keeps others from shared memory");
}

// ---- elements that lie backwards, or before the buffer ----

// The i-th of a buffer whose elements are ints, wherever they lie.
static int* element(void* buffer, MPI_Datatype type, int i) {
  MPI_Aint lb, extent, at, bytes;
  MPI_Type_get_extent(type, &lb, &extent);
  MPI_Type_get_true_extent(type, &at, &bytes);
  return (int*)((char*)buffer + at + i * extent);
}
static void add(void* in, void* inout, int* count, MPI_Datatype* type) {
  for (int i = 0; i < *count; ++i) *element(inout, *type, i) += *element(in, *type, i);
}
// Does not commute: that of the lowest rank is left.
static void keep_first(void* in, void* inout, int* count, MPI_Datatype* type) {
  for (int i = 0; i < *count; ++i) *element(inout, *type, i) = *element(in, *type, i);
}

enum { kRoom = 64, kOrigin = 32, kEach = 2 };
struct Rooms {
  MPI_Datatype type;
  int in[kRoom], out[kRoom];
};
static void fill(struct Rooms* r, int count, int in_place) {
  for (int i = 0; i < kRoom; ++i) r->in[i] = r->out[i] = -i;
  for (int i = 0; i < count; ++i) *element((in_place ? r->out : r->in) + kOrigin, r->type, i) = (me + 1) * (i + 1);
}
// The first `count` elements are `factor` times i + first, and nothing else has changed.
static void compare(struct Rooms* r, int count, int first, int factor, const char* what) {
  for (int at = 0; at < kRoom; ++at) {
    int value = -at;
    for (int i = 0; i < count; ++i)
      if (r->out + at == element(r->out + kOrigin, r->type, i)) value = factor * (i + first);
    expect(r->out[at] == value, what, at * 10000L + r->out[at]);
  }
}

static void backwards(int step, int shift) {
  struct Rooms r;
  MPI_Datatype shifted;
  MPI_Op sum, ordered;
  MPI_Request request;
  const int each = kEach, all = each * n;
  int counts[64];
  int sum_of_all = n * (n + 1) / 2, up_to_me = (me + 1) * (me + 2) / 2;
  MPI_Type_create_indexed_block(1, 1, &shift, MPI_INT, &shifted);
  MPI_Type_create_resized(shifted, 0, step * (MPI_Aint)sizeof(int), &r.type);
  MPI_Type_commit(&r.type);
  MPI_Op_create(add, 1, &sum);
  MPI_Op_create(keep_first, 0, &ordered);
  int* const in = r.in + kOrigin;
  int* const out = r.out + kOrigin;

  fill(&r, all, 0);
  MPI_Reduce(in, out, all, r.type, sum, n - 1, MPI_COMM_WORLD);
  compare(&r, me == n - 1 ? all : 0, 1, sum_of_all, "reduce");
  fill(&r, all, 0);
  MPI_Allreduce(in, out, all, r.type, ordered, MPI_COMM_WORLD);
  compare(&r, all, 1, 1, "allreduce");
  fill(&r, all, 1);
  MPI_Iallreduce(MPI_IN_PLACE, out, all, r.type, sum, MPI_COMM_WORLD, &request);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  compare(&r, all, 1, sum_of_all, "iallreduce in place");
  fill(&r, all, 0);
  MPI_Scan(in, out, all, r.type, sum, MPI_COMM_WORLD);
  compare(&r, all, 1, up_to_me, "scan");
  fill(&r, all, 0);
  MPI_Exscan(in, out, all, r.type, sum, MPI_COMM_WORLD);
  compare(&r, me == 0 ? 0 : all, 1, up_to_me - me - 1, "exscan");
  fill(&r, all, 0);
  MPI_Reduce_scatter_block(in, out, each, r.type, ordered, MPI_COMM_WORLD);
  compare(&r, each, 1 + me * each, 1, "reduce_scatter_block");
  fill(&r, all, 0);
  for (int i = 0; i < n; ++i) counts[i] = i == 1 ? 0 : i == 2 ? 2 * each : each;
  MPI_Reduce_scatter(in, out, counts, r.type, sum, MPI_COMM_WORLD);
  compare(&r, counts[me], 1 + (me == 2 ? each : me * each), sum_of_all, "reduce_scatter");
  fill(&r, all, 0);
  for (int i = 0; i < all; ++i) *element(out, r.type, i) = i + 1;
  MPI_Reduce_local(in, out, all, r.type, sum);
  compare(&r, all, 1, me + 2, "reduce_local");
  MPI_Op_free(&sum);
  MPI_Op_free(&ordered);
  MPI_Type_free(&shifted);
  MPI_Type_free(&r.type);
}
static void reductions(void) {
  const int steps[] = {1, -1, 2, -2}, shifts[] = {0, -5, 5};
  for (int i = 0; i < 4; ++i)
    for (int k = 0; k < 3; ++k) backwards(steps[i], shifts[k]);
}

// ---- requests ----

enum { kLong = 300000 };
static int out[kLong], in[kLong];

// Nothing is received, and what is sent goes when the other one takes it.
static void send_from_nobody(int replaces, int freed) {
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  MPI_Request request;
  MPI_Status status;
  int flag = 0;
  for (int i = 0; i < kLong; ++i) out[i] = me * 7 + i;
  if (replaces)
    MPI_Isendrecv_replace(out, kLong, MPI_INT, right, 5, MPI_PROC_NULL, 6, MPI_COMM_WORLD, &request);
  else
    MPI_Isendrecv(out, kLong, MPI_INT, right, 5, in, kLong, MPI_INT, MPI_PROC_NULL, 6, MPI_COMM_WORLD, &request);
  if (freed) {
    MPI_Request_free(&request);
  } else {
    MPI_Request_get_status(request, &flag, MPI_STATUS_IGNORE);
    if (flag) memset(out, 0, sizeof out);  // it has gone
  }
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Recv(in, kLong, MPI_INT, left, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  for (int i = 0; i < kLong; ++i)
    if (in[i] != left * 7 + i) {
      expect(0, "sent from nobody", in[i]);
      break;
    }
  if (!freed) {
    int count;
    MPI_Wait(&request, &status);
    MPI_Get_count(&status, MPI_INT, &count);
    expect(status.MPI_SOURCE == MPI_PROC_NULL && status.MPI_TAG == MPI_ANY_TAG && count == 0, "nobody's status", count);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  // To nobody: only the receive is waited for.
  MPI_Isendrecv(out, 1, MPI_INT, MPI_PROC_NULL, 5, in, 1, MPI_INT, left, 7, MPI_COMM_WORLD, &request);
  MPI_Send(&right, 1, MPI_INT, right, 7, MPI_COMM_WORLD);
  MPI_Wait(&request, &status);
  expect(in[0] == me && status.MPI_SOURCE == left, "sent to nobody", in[0]);
}

// Partitioned receives that are freed unused, before their sends are made or after, have had their
// turn all the same.
static void freed_partitioned(int sends_first) {
  const int right = (me + 1) % n, left = (me + n - 1) % n;
  int values[3] = {me * 10, me * 10 + 1, me * 10 + 2}, got = -1, flag = 0;
  MPI_Request send[3], receive[3];
  for (int step = 0; step < 2; ++step) {
    for (int i = 0; i < 3; ++i) {
      if (step == !sends_first) {
        MPI_Psend_init(&values[i], 1, 1, MPI_INT, right, 5, MPI_COMM_WORLD, MPI_INFO_NULL,
                       &send[i]);
        if (i < 2) MPI_Request_free(&send[i]);
      } else {
        MPI_Precv_init(&got, 1, 1, MPI_INT, left, 5, MPI_COMM_WORLD, MPI_INFO_NULL, &receive[i]);
        if (i < 2) MPI_Request_free(&receive[i]);
      }
    }
    MPI_Barrier(MPI_COMM_WORLD);
  }
  MPI_Start(&send[2]);
  MPI_Pready(0, send[2]);
  MPI_Start(&receive[2]);
  for (const double begin = MPI_Wtime(); !flag && MPI_Wtime() < begin + 20;)
    MPI_Test(&receive[2], &flag, MPI_STATUS_IGNORE);
  expect(flag && got == left * 10 + 2, "after freed partitioned receives", got);
  if (!flag) MPI_Abort(MPI_COMM_WORLD, 3);
  MPI_Wait(&send[2], MPI_STATUS_IGNORE);
  MPI_Request_free(&send[2]);
  MPI_Request_free(&receive[2]);
}

// The buffer has room for one message; who has been told that it has come sends the next.
static void one_after_the_other(int bytes) {
  const int right = (me + 1) % n, left = (me + n - 1) % n, room = bytes + MPI_BSEND_OVERHEAD;
  void* buffer = malloc((size_t)room);
  int detached, failed = 0;
  MPI_Comm apart;
  MPI_Comm_dup(MPI_COMM_WORLD, &apart);
  MPI_Comm_set_errhandler(apart, MPI_ERRORS_RETURN);
  MPI_Buffer_attach(buffer, room);
  for (int i = 0; i < 30; ++i) {
    failed += MPI_Bsend(out, bytes, MPI_BYTE, right, 8, apart) != MPI_SUCCESS;
    if (failed) break;
    MPI_Recv(in, bytes, MPI_BYTE, left, 8, apart, MPI_STATUS_IGNORE);
    MPI_Sendrecv(NULL, 0, MPI_INT, left, 9, NULL, 0, MPI_INT, right, 9, apart, MPI_STATUS_IGNORE);
  }
  expect(!failed, "Bsend when the one before it has come", bytes);
  if (failed) MPI_Abort(MPI_COMM_WORLD, 3);
  MPI_Error_class(MPI_Bsend(out, bytes + 1, MPI_BYTE, right, 8, apart), &failed);
  expect(failed == MPI_ERR_BUFFER, "Bsend of more than the buffer has", failed);
  MPI_Buffer_detach(&buffer, &detached);
  free(buffer);
  MPI_Comm_free(&apart);
}

// ---- numbers that are used again ----

static int bytes_of_type;
static void look_at_type(void* from, void* to, int* count, MPI_Datatype* type) {
  MPI_Type_size(*type, &bytes_of_type);
  for (int i = 0; i < 2 * *count; ++i) ((int*)to)[i] += ((int*)from)[i];
}
// A datatype is freed, and others are made, while a reduction of its elements is under way.
static void freed_types(int persistent) {
  int values[2] = {me, 1}, sums[2];
  MPI_Datatype pair, others[4];
  MPI_Op op;
  MPI_Request request;
  MPI_Type_contiguous(2, MPI_INT, &pair);
  MPI_Type_commit(&pair);
  const MPI_Datatype number = pair;
  MPI_Op_create(look_at_type, 1, &op);
  bytes_of_type = 2 * sizeof(int);
  if (!persistent && me != 0) MPI_Barrier(MPI_COMM_WORLD);
  if (persistent)
    MPI_Allreduce_init(values, sums, 1, pair, op, MPI_COMM_WORLD, MPI_INFO_NULL, &request);
  else
    MPI_Iallreduce(values, sums, 1, pair, op, MPI_COMM_WORLD, &request);
  MPI_Type_free(&pair);
  MPI_Op_free(&op);
  for (int i = 0; i < 4; ++i) MPI_Type_contiguous(3 + i, MPI_DOUBLE, &others[i]);
  // The others begin when that of rank 0 has been freed.
  if (!persistent && me == 0) MPI_Barrier(MPI_COMM_WORLD);
  for (int i = 0; i <= persistent; ++i) {
    if (persistent) MPI_Start(&request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    expect(sums[0] == n * (n - 1) / 2 && sums[1] == n, "reduction of a freed datatype", sums[0]);
    expect(bytes_of_type == 2 * sizeof(int), "the datatype that an operation sees", bytes_of_type);
  }
  if (persistent) MPI_Request_free(&request);
  // Who had nothing to combine has used the number again before.
  MPI_Type_dup(MPI_INT, &pair);
  int used = pair == number;
  for (int i = 0; i < 4; ++i) used = used || others[i] == number;
  expect(used, "what was held is given back", number);
  MPI_Type_free(&pair);
  for (int i = 0; i < 4; ++i) MPI_Type_free(&others[i]);
}
// Each real of so many digits is the same one, which nobody frees.
static void types_of_fortran(void) {
  MPI_Datatype real, again, holder, inside;
  int integers[1], code;
  MPI_Aint addresses[1];
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Type_create_f90_real(6, 30, &real);
  again = real;
  MPI_Type_free(&again);
  MPI_Type_contiguous(3, real, &holder);
  MPI_Type_get_contents(holder, 1, 0, 1, integers, addresses, &inside);
  MPI_Type_create_f90_real(6, 30, &again);
  MPI_Type_size(again, &code);
  expect(again == real && inside == real && code == 4, "a real of Fortran", code);
  MPI_Type_free(&holder);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
}

static int told_first, told_second;
static void first_handler(MPI_Comm* communicator, int* code, ...) {
  (void)communicator, (void)code;
  ++told_first;
}
static void second_handler(MPI_Comm* communicator, int* code, ...) {
  (void)communicator, (void)code;
  ++told_second;
}
// A communicator is freed, and another is made, while a receive is under way that fails.
static void freed_communicators(void) {
  MPI_Comm first, second;
  MPI_Errhandler handlers[2];
  MPI_Request request;
  int room;
  MPI_Comm_create_errhandler(first_handler, &handlers[0]);
  MPI_Comm_create_errhandler(second_handler, &handlers[1]);
  MPI_Comm_dup(MPI_COMM_WORLD, &first);
  MPI_Comm_set_errhandler(first, handlers[0]);
  MPI_Irecv(&room, 1, MPI_INT, (me + n - 1) % n, 3, first, &request);
  MPI_Send(out, 2, MPI_INT, (me + 1) % n, 3, first);
  MPI_Comm_free(&first);
  MPI_Comm_dup(MPI_COMM_WORLD, &second);
  MPI_Comm_set_errhandler(second, handlers[1]);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
  expect(told_first == 1 && told_second == 0, "a freed communicator's handler", told_second);
  MPI_Comm_free(&second);
  for (int i = 0; i < 2; ++i) MPI_Errhandler_free(&handlers[i]);
}

// A claimed message is its communicator's: that one's handler is told, also when it was freed since.
static void claimed(int freed) {
  MPI_Comm own, next;
  MPI_Errhandler handlers[2];
  MPI_Message message;
  MPI_Request request;
  const int left = (me + n - 1) % n, right = (me + 1) % n;
  int room, there = 0;
  MPI_Comm_create_errhandler(first_handler, &handlers[0]);
  MPI_Comm_create_errhandler(second_handler, &handlers[1]);
  MPI_Comm_dup(MPI_COMM_WORLD, &own);
  MPI_Comm_set_errhandler(own, handlers[0]);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handlers[1]);
  told_first = told_second = 0;
  for (int way = 0; way < 3; ++way) {
    MPI_Send(out, 2, MPI_INT, right, way, own);
    if (way == 1)
      while (!there) MPI_Improbe(left, way, own, &there, &message, MPI_STATUS_IGNORE);
    else
      MPI_Mprobe(left, way, own, &message, MPI_STATUS_IGNORE);
    if (freed && way == 2) {
      MPI_Comm_free(&own);
      MPI_Comm_dup(MPI_COMM_WORLD, &next);  // has its number
      MPI_Comm_set_errhandler(next, handlers[1]);
    }
    if (way != 1) {
      MPI_Mrecv(&room, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
    } else {
      MPI_Imrecv(&room, 1, MPI_INT, &message, &request);
      MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    expect(told_first == way + 1 && told_second == 0, "a claimed message's handler", way);
  }
  // What cannot be received is left, and is then received.
  if (!freed) {
    MPI_Send(&me, 1, MPI_INT, right, 5, own);
    MPI_Mprobe(left, 5, own, &message, MPI_STATUS_IGNORE);
    MPI_Mrecv(&room, -1, MPI_INT, &message, MPI_STATUS_IGNORE);
    expect(told_first == 4 && told_second == 0, "a claimed message and a negative count", told_second);
    MPI_Mrecv(&room, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
    expect(room == left, "a message that was not received at first", room);
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
  MPI_Comm_free(freed ? &next : &own);
  for (int i = 0; i < 2; ++i) MPI_Errhandler_free(&handlers[i]);
}
// MPI_Comm_disconnect waits for it.
static void disconnected(void) {
  MPI_Comm own;
  MPI_Message message;
  MPI_Request request;
  const int left = (me + n - 1) % n;
  MPI_Comm_dup(MPI_COMM_WORLD, &own);
  for (int i = 0; i < kLong; ++i) out[i] = me * 7 + i;
  in[kLong - 1] = -1;
  MPI_Isend(out, kLong, MPI_INT, (me + 1) % n, 4, own, &request);
  MPI_Mprobe(left, 4, own, &message, MPI_STATUS_IGNORE);
  MPI_Request receive;
  MPI_Imrecv(in, kLong, MPI_INT, &message, &receive);
  MPI_Comm_disconnect(&own);
  expect(in[kLong - 1] == left * 7 + kLong - 1, "received when disconnected", in[kLong - 1]);
  MPI_Wait(&receive, MPI_STATUS_IGNORE);
  MPI_Wait(&request, MPI_STATUS_IGNORE);
}

// ---- groups that are empty, leaders that are not there ----

static void empty_groups(void) {
  MPI_Group all, self;
  MPI_Comm made = MPI_COMM_WORLD;
  MPI_Info info;
  MPI_Comm_group(MPI_COMM_WORLD, &all);
  MPI_Comm_group(MPI_COMM_SELF, &self);
  MPI_Info_create(&info);
  // Each by itself: only one of them calls.
  if (me == 1) {
    int code = MPI_Comm_create_from_group(MPI_GROUP_EMPTY, "none", info, MPI_ERRORS_RETURN, &made);
    expect(code == MPI_SUCCESS && made == MPI_COMM_NULL, "from no group", code);
    const MPI_Group remote[2] = {all, MPI_GROUP_EMPTY};
    for (int i = 0; i < 2; ++i) {
      made = MPI_COMM_WORLD;
      code = MPI_Intercomm_create_from_groups(MPI_GROUP_EMPTY, 0, remote[i], 0, "none", info,
                                              MPI_ERRORS_RETURN, &made);
      expect(code == MPI_SUCCESS && made == MPI_COMM_NULL, "between no groups", i);
    }
    code = MPI_Comm_create_from_group(MPI_GROUP_NULL, "none", info, MPI_ERRORS_RETURN, &made);
    MPI_Error_class(code, &code);
    expect(code == MPI_ERR_GROUP, "from a group that is none", code);
  }
  // The leader's word counts.
  made = MPI_COMM_WORLD;
  const int code = MPI_Intercomm_create_from_groups(all, 0, me == 0 ? MPI_GROUP_EMPTY : self, 0, "none",
                                                    info, MPI_ERRORS_RETURN, &made);
  expect(code == MPI_SUCCESS && made == MPI_COMM_NULL, "with no other group", code);
  MPI_Group_free(&all);
  MPI_Group_free(&self);
  MPI_Info_free(&info);
}
// Only the leader knows of the other one; all are told that there is none.
static void no_leader(void) {
  MPI_Group half, other;
  MPI_Comm halves, made;
  int range[1][3] = {{me % 2, n - 2 + me % 2, 2}}, others[1][3] = {{1 - me % 2, n - 1 - me % 2, 2}}, code;
  MPI_Group all;
  MPI_Comm_group(MPI_COMM_WORLD, &all);
  MPI_Group_range_incl(all, 1, range, &half);
  MPI_Group_range_incl(all, 1, others, &other);
  const int leads = me == me % 2;
  code = MPI_Intercomm_create_from_groups(half, 0, leads ? other : MPI_GROUP_NULL, leads ? n : 0, "far",
                                          MPI_INFO_NULL, MPI_ERRORS_RETURN, &made);
  MPI_Error_class(code, &code);
  expect(code == MPI_ERR_RANK, "a leader that is not there", code);
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, 0, &halves);
  MPI_Comm_set_errhandler(halves, MPI_ERRORS_RETURN);
  code = MPI_Intercomm_create(halves, 0, MPI_COMM_WORLD, leads ? n : 0, 8, &made);
  MPI_Error_class(code, &code);
  expect(code == MPI_ERR_RANK, "a leader that is not there", code);
  // And then they come together.
  code = MPI_Intercomm_create_from_groups(half, 0, leads ? other : MPI_GROUP_EMPTY, 0, "far",
                                          MPI_INFO_NULL, MPI_ERRORS_RETURN, &made);
  int remote = 0;
  MPI_Comm_remote_size(made, &remote);
  expect(code == MPI_SUCCESS && remote == n / 2, "a leader that is there", remote);
  MPI_Comm_free(&made);
  MPI_Comm_free(&halves);
  MPI_Group_free(&half);
  MPI_Group_free(&other);
  MPI_Group_free(&all);
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  locks();
  reductions();
  for (int i = 0; i < 4; ++i) send_from_nobody(i % 2, i / 2);
  for (int i = 0; i < 2; ++i) freed_partitioned(i);
  for (int bytes = 100; bytes <= 1000000; bytes *= 100) one_after_the_other(bytes);
  for (int i = 0; i < 2; ++i) freed_types(i);
  types_of_fortran();
  freed_communicators();
  for (int i = 0; i < 2; ++i) claimed(i);
  disconnected();
  empty_groups();
  no_leader();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
