// What messages, requests, collectives and reductions say of null pointers, of one buffer for what
// is sent and received, of MPI_IN_PLACE where it is no buffer, and of datatypes that are not committed:
// the class of each, as MPICH 4.0 has it. Where that faults is not asked.
#include <string.h>

#include "judge.h"

static MPI_Comm self;
static int v[64], w[64];
static MPI_Datatype derived, plain, behind;

static void messages(void) {
  MPI_Request r;
  MPI_Message m;
  MPI_Status s;
  int f;
  MPI_Comm c = self;
  void* p;
  IS(MPI_ERR_ARG, MPI_Isend(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Issend(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Ibsend(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Irsend(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Irecv(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Send_init(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Ssend_init(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Bsend_init(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Recv_init(v, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Isendrecv(v, 1, MPI_INT, 0, 1, w, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Isendrecv_replace(v, 1, MPI_INT, 0, 1, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Iprobe(0, 1, c, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Iprobe(0, 1, c, &f, NULL));
  IS(MPI_ERR_ARG, MPI_Improbe(0, 1, c, NULL, &m, &s));
  IS(MPI_ERR_ARG, MPI_Improbe(0, 1, c, &f, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Improbe(0, 1, c, &f, &m, NULL));
  MPI_Request pend;
  MPI_Isend(v, 1, MPI_INT, 0, 5, c, &pend);
  IS(MPI_ERR_ARG, MPI_Probe(0, 5, c, NULL));
  IS(MPI_ERR_ARG, MPI_Mprobe(0, 5, c, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Mprobe(0, 5, c, &m, NULL));
  IS(MPI_ERR_ARG, MPI_Recv(w, 1, MPI_INT, 0, 5, c, NULL));
  IS(MPI_ERR_ARG, MPI_Mrecv(w, 1, MPI_INT, NULL, &s));
  if (MPI_Mprobe(0, 5, c, &m, &s) == 0) {
    IS(MPI_ERR_ARG, MPI_Mrecv(w, 1, MPI_INT, &m, NULL));
    IS(MPI_ERR_ARG, MPI_Imrecv(w, 1, MPI_INT, &m, NULL));
    IS(MPI_ERR_ARG, MPI_Imrecv(w, 1, MPI_INT, NULL, &r));
    IS(MPI_ERR_BUFFER, MPI_Mrecv(NULL, 1, MPI_INT, &m, &s));
    IS(MPI_ERR_BUFFER, MPI_Imrecv(NULL, 1, MPI_INT, &m, &r));
    MPI_Mrecv(w, 1, MPI_INT, &m, MPI_STATUS_IGNORE);
  }
  MPI_Wait(&pend, MPI_STATUS_IGNORE);
  IS(MPI_ERR_ARG, MPI_Sendrecv(v, 1, MPI_INT, 0, 1, w, 1, MPI_INT, 0, 1, c, NULL));
  IS(MPI_ERR_ARG, MPI_Sendrecv_replace(v, 1, MPI_INT, 0, 1, 0, 1, c, NULL));
  IS(MPI_ERR_BUFFER, MPI_Sendrecv(v, 1, MPI_INT, 0, 1, NULL, 1, MPI_INT, 0, 1, c, &s));
  IS(MPI_ERR_BUFFER, MPI_Sendrecv(NULL, 1, MPI_INT, 0, 1, w, 1, MPI_INT, 0, 1, c, &s));
  IS(MPI_ERR_BUFFER, MPI_Sendrecv_replace(NULL, 1, MPI_INT, 0, 1, 0, 1, c, &s));
  IS(MPI_ERR_BUFFER, MPI_Send(NULL, 1, MPI_INT, 0, 1, c));
  IS(MPI_ERR_BUFFER, MPI_Send(NULL, 1, derived, 0, 1, c));
  IS(MPI_ERR_BUFFER, MPI_Ssend(NULL, 1, derived, 0, 1, c));
  IS(MPI_ERR_BUFFER, MPI_Bsend(NULL, 1, derived, 0, 1, c));
  IS(MPI_ERR_BUFFER, MPI_Isend(NULL, 1, derived, 0, 1, c, &r));
  IS(MPI_ERR_BUFFER, MPI_Send_init(NULL, 1, derived, 0, 1, c, &r));
  IS(MPI_ERR_BUFFER, MPI_Recv(NULL, 1, derived, 0, 1, c, &s));
  IS(MPI_ERR_BUFFER, MPI_Irecv(NULL, 1, derived, 0, 1, c, &r));
  IS(MPI_ERR_BUFFER, MPI_Recv_init(NULL, 1, derived, 0, 1, c, &r));
  IS(MPI_SUCCESS, MPI_Send(NULL, 0, derived, MPI_PROC_NULL, 1, c));
  IS(MPI_ERR_BUFFER, MPI_Send(NULL, 1, derived, MPI_PROC_NULL, 1, c));
  IS(MPI_ERR_BUFFER, MPI_Send(NULL, 1, MPI_INT, MPI_PROC_NULL, 1, c));
  IS(MPI_SUCCESS, MPI_Send(NULL, 1, behind, MPI_PROC_NULL, 1, c));
  IS(MPI_ERR_ARG, MPI_Buffer_detach(NULL, &f));
  IS(MPI_ERR_ARG, MPI_Buffer_detach(&p, NULL));
  IS(MPI_ERR_ARG, MPI_Buffer_attach(NULL, 100));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_ERR_ARG, MPI_Buffer_attach(NULL, 1000));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_ERR_BUFFER, MPI_Buffer_attach(v, 8));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_ERR_BUFFER, MPI_Buffer_attach(v, 0));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_ERR_BUFFER, MPI_Buffer_attach(v, 95));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_SUCCESS, MPI_Buffer_attach(v, 96));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_SUCCESS, MPI_Buffer_attach(v, 100));
  IS(MPI_SUCCESS, MPI_Buffer_detach(&p, &f));
  IS(MPI_ERR_ARG, MPI_Psend_init(v, 1, 1, MPI_INT, MPI_PROC_NULL, 0, c, MPI_INFO_NULL, NULL));
  IS(MPI_ERR_ARG, MPI_Precv_init(v, 1, 1, MPI_INT, MPI_PROC_NULL, 0, c, MPI_INFO_NULL, NULL));
  IS(MPI_ERR_BUFFER, MPI_Psend_init(NULL, 1, 1, MPI_INT, 0, 0, c, MPI_INFO_NULL, &r));
}
// Those behind rank 0, which gives nowhere to receive, get theirs.
static void exclusive_scans(void) {
  MPI_Comm c = MPI_COMM_WORLD;
  MPI_Request r;
  int mine = me + 1, before = -1;
  int* where = me == 0 ? NULL : &before;
  const int right = me * (me + 1) / 2;
  IS(MPI_SUCCESS, MPI_Exscan(&mine, where, 1, MPI_INT, MPI_SUM, c));
  expect(me == 0 || before == right, "MPI_Exscan", before);
  before = -1;
  IS(MPI_SUCCESS, MPI_Iexscan(&mine, where, 1, MPI_INT, MPI_SUM, c, &r));
  MPI_Wait(&r, MPI_STATUS_IGNORE);
  expect(me == 0 || before == right, "MPI_Iexscan", before);
  IS(MPI_SUCCESS, MPI_Exscan_init(&mine, where, 1, MPI_INT, MPI_SUM, c, MPI_INFO_NULL, &r));
  for (int i = 0; i < 2; ++i) {
    before = -1;
    MPI_Start(&r);
    MPI_Wait(&r, MPI_STATUS_IGNORE);
    expect(me == 0 || before == right, "MPI_Exscan_init", before);
  }
  MPI_Request_free(&r);
  before = mine;
  IS(MPI_SUCCESS, MPI_Exscan(MPI_IN_PLACE, &before, 1, MPI_INT, MPI_SUM, c));
  expect(before == (me == 0 ? 1 : right), "MPI_Exscan in place", before);
}
static int query(void* extra, MPI_Status* status) {
  (void)extra, (void)status;
  return MPI_SUCCESS;
}
static int release(void* extra) {
  (void)extra;
  return MPI_SUCCESS;
}
static int cancel(void* extra, int done) {
  (void)extra, (void)done;
  return MPI_SUCCESS;
}
static void requests(void) {
  MPI_Request r = MPI_REQUEST_NULL, a[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
  MPI_Status s, ss[2];
  int f, i, ix[2];
  IS(MPI_ERR_ARG, MPI_Wait(NULL, &s));
  IS(MPI_ERR_ARG, MPI_Wait(&r, NULL));
  IS(MPI_ERR_ARG, MPI_Test(NULL, &f, &s));
  IS(MPI_ERR_ARG, MPI_Test(&r, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Test(&r, &f, NULL));
  IS(MPI_ERR_ARG, MPI_Waitall(1, NULL, ss));
  IS(MPI_ERR_ARG, MPI_Waitall(2, a, NULL));
  IS(MPI_SUCCESS, MPI_Waitall(0, NULL, NULL));
  IS(MPI_SUCCESS, MPI_Waitall(0, NULL, ss));
  IS(MPI_ERR_ARG, MPI_Testall(1, NULL, &f, ss));
  IS(MPI_ERR_ARG, MPI_Testall(2, a, NULL, ss));
  IS(MPI_ERR_ARG, MPI_Testall(2, a, &f, NULL));
  IS(MPI_SUCCESS, MPI_Testall(0, NULL, &f, NULL));
  IS(MPI_ERR_ARG, MPI_Waitany(1, NULL, &i, &s));
  IS(MPI_ERR_ARG, MPI_Waitany(2, a, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Waitany(2, a, &i, NULL));
  IS(MPI_SUCCESS, MPI_Waitany(0, NULL, &i, &s));
  IS(MPI_ERR_ARG, MPI_Waitany(0, NULL, &i, NULL));
  IS(MPI_ERR_ARG, MPI_Testany(1, NULL, &i, &f, &s));
  IS(MPI_ERR_ARG, MPI_Testany(2, a, NULL, &f, &s));
  IS(MPI_ERR_ARG, MPI_Testany(2, a, &i, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Testany(2, a, &i, &f, NULL));
  IS(MPI_SUCCESS, MPI_Testany(0, NULL, &i, &f, &s));
  IS(MPI_ERR_ARG, MPI_Waitsome(1, NULL, &f, ix, ss));
  IS(MPI_ERR_ARG, MPI_Waitsome(2, a, NULL, ix, ss));
  IS(MPI_ERR_ARG, MPI_Waitsome(2, a, &f, NULL, ss));
  IS(MPI_ERR_ARG, MPI_Waitsome(2, a, &f, ix, NULL));
  IS(MPI_SUCCESS, MPI_Waitsome(0, NULL, &f, NULL, NULL));
  IS(MPI_SUCCESS, MPI_Waitsome(0, NULL, &f, ix, ss));
  IS(MPI_ERR_ARG, MPI_Testsome(1, NULL, &f, ix, ss));
  IS(MPI_ERR_ARG, MPI_Testsome(2, a, NULL, ix, ss));
  IS(MPI_ERR_ARG, MPI_Testsome(2, a, &f, NULL, ss));
  IS(MPI_ERR_ARG, MPI_Testsome(2, a, &f, ix, NULL));
  IS(MPI_SUCCESS, MPI_Testsome(0, NULL, &f, ix, ss));
  IS(MPI_ERR_ARG, MPI_Request_get_status(r, NULL, &s));
  IS(MPI_ERR_ARG, MPI_Request_get_status(r, &f, NULL));
  IS(MPI_ERR_ARG, MPI_Request_free(NULL));
  IS(MPI_ERR_REQUEST, MPI_Request_free(&r));
  IS(MPI_ERR_ARG, MPI_Cancel(NULL));
  IS(MPI_ERR_REQUEST, MPI_Cancel(&r));
  IS(MPI_ERR_ARG, MPI_Start(NULL));
  IS(MPI_ERR_REQUEST, MPI_Start(&r));
  IS(MPI_ERR_ARG, MPI_Startall(1, NULL));
  IS(MPI_SUCCESS, MPI_Startall(0, NULL));
  IS(MPI_ERR_REQUEST, MPI_Startall(2, a));
  IS(MPI_ERR_ARG, MPI_Get_count(NULL, MPI_INT, &f));
  IS(MPI_ERR_ARG, MPI_Get_count(&s, MPI_INT, NULL));
  IS(MPI_ERR_ARG, MPI_Get_elements(NULL, MPI_INT, &f));
  IS(MPI_ERR_ARG, MPI_Get_elements(&s, MPI_INT, NULL));
  MPI_Count big;
  IS(MPI_ERR_ARG, MPI_Get_elements_x(NULL, MPI_INT, &big));
  IS(MPI_ERR_ARG, MPI_Get_elements_x(&s, MPI_INT, NULL));
  IS(MPI_ERR_ARG, MPI_Test_cancelled(NULL, &f));
  IS(MPI_ERR_ARG, MPI_Test_cancelled(&s, NULL));
  IS(MPI_ERR_ARG, MPI_Status_set_cancelled(NULL, 0));
  IS(MPI_ERR_ARG, MPI_Status_set_elements(NULL, MPI_INT, 0));
  IS(MPI_ERR_ARG, MPI_Status_set_elements_x(NULL, MPI_INT, 0));

  IS(MPI_ERR_ARG, MPI_Grequest_start(query, release, cancel, NULL, NULL));
  IS(MPI_ERR_ARG, MPI_Grequest_start(NULL, release, cancel, NULL, &r));
}
static void collectives(void) {
  MPI_Comm c = self;
  MPI_Request r;
  int one[1] = {1}, z[1] = {0};
  MPI_Datatype t[1] = {MPI_INT};
  // Parts of one array, and what nobody looks at.
  int as_many[1] = {1}, elsewhere[1] = {8}, bytes[1] = {32};
  MPI_Datatype same[1] = {MPI_INT};
  IS(MPI_SUCCESS, MPI_Alltoallv(v, one, z, MPI_INT, v, as_many, elsewhere, MPI_INT, c));
  IS(MPI_SUCCESS, MPI_Alltoallw(v, one, z, t, v, as_many, bytes, same, c));
  IS(MPI_SUCCESS, MPI_Gatherv(v, 1, MPI_INT, v, one, elsewhere, MPI_INT, 0, c));
  IS(MPI_SUCCESS, MPI_Scatterv(v, one, elsewhere, MPI_INT, v, 1, MPI_INT, 0, c));
  IS(MPI_SUCCESS, MPI_Alltoallw(NULL, z, z, NULL, v, z, z, t, c));
  IS(MPI_SUCCESS, MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_INT, NULL, z, NULL, MPI_INT, c));
  IS(MPI_SUCCESS, MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_INT, NULL, z, NULL, MPI_INT, c, &r));
  IS(MPI_SUCCESS, MPI_Wait(&r, MPI_STATUS_IGNORE));
  IS(MPI_SUCCESS, MPI_Allgatherv_init(MPI_IN_PLACE, 0, MPI_INT, NULL, z, NULL, MPI_INT, c, MPI_INFO_NULL, &r));
  IS(MPI_SUCCESS, MPI_Start(&r));
  IS(MPI_SUCCESS, MPI_Wait(&r, MPI_STATUS_IGNORE));
  IS(MPI_SUCCESS, MPI_Request_free(&r));
  IS(MPI_ERR_BUFFER, MPI_Bcast(NULL, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Bcast(NULL, 1, derived, 0, c));
  IS(MPI_ERR_ARG, MPI_Ibcast(v, 1, MPI_INT, 0, c, NULL));
  IS(MPI_ERR_BUFFER, MPI_Ibcast(NULL, 1, MPI_INT, 0, c, &r));
  IS(MPI_ERR_ARG, MPI_Ibarrier(c, NULL));
  IS(MPI_ERR_BUFFER, MPI_Gather(NULL, 1, MPI_INT, w, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Gather(v, 1, MPI_INT, NULL, 1, MPI_INT, 0, c));
  IS(MPI_ERR_ARG, MPI_Igather(v, 1, MPI_INT, w, 1, MPI_INT, 0, c, NULL));
  IS(MPI_ERR_BUFFER, MPI_Gatherv(v, 1, MPI_INT, NULL, one, z, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Gatherv(NULL, 1, MPI_INT, w, one, z, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Scatter(NULL, 1, MPI_INT, w, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Scatter(v, 1, MPI_INT, NULL, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Scatterv(NULL, one, z, MPI_INT, w, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Allgather(NULL, 1, MPI_INT, w, 1, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Allgather(v, 1, MPI_INT, NULL, 1, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Allgatherv(v, 1, MPI_INT, NULL, one, z, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoall(NULL, 1, MPI_INT, w, 1, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoall(v, 1, MPI_INT, NULL, 1, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoallv(NULL, one, z, MPI_INT, w, one, z, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoallv(v, one, z, MPI_INT, NULL, one, z, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoallw(NULL, one, z, t, w, one, z, t, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoallw(v, one, z, t, NULL, one, z, t, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce(NULL, w, 1, MPI_INT, MPI_SUM, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce(v, NULL, 1, MPI_INT, MPI_SUM, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce(v, v, 1, MPI_INT, MPI_SUM, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce(v, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM, 0, c));
  IS(MPI_ERR_ARG, MPI_Ireduce(v, w, 1, MPI_INT, MPI_SUM, 0, c, NULL));
  IS(MPI_ERR_BUFFER, MPI_Ireduce(v, v, 1, MPI_INT, MPI_SUM, 0, c, &r));
  IS(MPI_ERR_BUFFER, MPI_Allreduce(NULL, w, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Allreduce(v, NULL, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Allreduce(v, v, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Allreduce(v, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_SUCCESS, MPI_Allreduce(NULL, NULL, 0, MPI_INT, MPI_SUM, c));
  IS(MPI_SUCCESS, MPI_Allreduce(v, v, 0, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Allreduce(MPI_IN_PLACE, NULL, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_ARG, MPI_Iallreduce(v, w, 1, MPI_INT, MPI_SUM, c, NULL));
  IS(MPI_ERR_BUFFER, MPI_Scan(NULL, w, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Scan(v, NULL, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Scan(v, v, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Exscan(NULL, w, 1, MPI_INT, MPI_SUM, c));
  // Rank 0 receives nothing, so where is not looked at; MPICH 4.0 does.
  IS(MPI_SUCCESS, MPI_Exscan(v, NULL, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Exscan(MPI_IN_PLACE, NULL, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Exscan(v, v, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter(NULL, w, one, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter(v, NULL, one, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter(v, v, one, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter_block(NULL, w, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter_block(v, NULL, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter_block(v, v, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_local(v, v, 1, MPI_INT, MPI_SUM));
  IS(MPI_ERR_BUFFER, MPI_Reduce_local(MPI_IN_PLACE, v, 1, MPI_INT, MPI_SUM));
  IS(MPI_ERR_BUFFER, MPI_Reduce_local(v, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM));
  IS(MPI_SUCCESS, MPI_Reduce_local(NULL, NULL, 0, MPI_INT, MPI_SUM));
  IS(MPI_ERR_BUFFER, MPI_Gather(v, 1, MPI_INT, MPI_IN_PLACE, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Scatter(MPI_IN_PLACE, 1, MPI_INT, w, 1, MPI_INT, 0, c));
  IS(MPI_ERR_BUFFER, MPI_Allgather(v, 1, MPI_INT, MPI_IN_PLACE, 1, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Alltoall(v, 1, MPI_INT, MPI_IN_PLACE, 1, MPI_INT, c));
  IS(MPI_ERR_BUFFER, MPI_Scan(v, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_BUFFER, MPI_Reduce_scatter_block(v, MPI_IN_PLACE, 1, MPI_INT, MPI_SUM, c));
  IS(MPI_ERR_TYPE, MPI_Bcast(v, 1, plain, 0, c));
  IS(MPI_ERR_TYPE, MPI_Send(v, 1, plain, MPI_PROC_NULL, 0, c));
  IS(MPI_ERR_TYPE, MPI_Recv(v, 1, plain, MPI_PROC_NULL, 0, c, MPI_STATUS_IGNORE));
  IS(MPI_ERR_TYPE, MPI_Gather(v, 1, plain, w, 1, plain, 0, c));
  IS(MPI_ERR_OP, MPI_Allreduce(v, w, 1, plain, MPI_SUM, c));
  IS(MPI_ERR_TYPE, MPI_Send_init(v, 1, plain, 0, 0, c, &r));
  {
    int p = 0, sz;
    IS(MPI_ERR_TYPE, MPI_Pack(v, 1, plain, w, 64, &p, c));
    IS(MPI_ERR_TYPE, MPI_Unpack(w, 64, &p, v, 1, plain, c));
    IS(MPI_ERR_TYPE, MPI_Pack_size(1, plain, c, &sz));
    IS(MPI_SUCCESS, MPI_Type_size(plain, &sz));
    MPI_Aint ap = 0;
    IS(MPI_ERR_TYPE, MPI_Pack_external("external32", v, 1, plain, w, 64, &ap));
    IS(MPI_SUCCESS, MPI_Pack_external_size("external32", 1, plain, &ap));
    MPI_Status s;
    memset(&s, 0, sizeof s);
    IS(MPI_SUCCESS, MPI_Get_count(&s, plain, &sz));
    IS(MPI_ERR_OP, MPI_Reduce_local(v, w, 1, plain, MPI_SUM));
    IS(MPI_SUCCESS, MPI_Status_set_elements(&s, plain, 0));
  }
  MPI_Op op;
  IS(MPI_ERR_ARG, MPI_Op_create(NULL, 1, &op));
  IS(MPI_ERR_ARG, MPI_Op_free(NULL));
  IS(MPI_ERR_ARG, MPI_Op_commutative(MPI_SUM, NULL));
  IS(MPI_ERR_ARG, MPI_Barrier_init(c, MPI_INFO_NULL, NULL));
  IS(MPI_ERR_ARG, MPI_Bcast_init(v, 1, MPI_INT, 0, c, MPI_INFO_NULL, NULL));
  IS(MPI_ERR_BUFFER, MPI_Allreduce_init(v, v, 1, MPI_INT, MPI_SUM, c, MPI_INFO_NULL, &r));
}
int main(int argc, char** argv) {
  begin(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  MPI_Comm_dup(MPI_COMM_SELF, &self);
  MPI_Comm_set_errhandler(self, MPI_ERRORS_RETURN);
  MPI_Type_vector(2, 1, 2, MPI_INT, &derived);
  MPI_Type_commit(&derived);
  MPI_Type_create_indexed_block(1, 1, (int[]){2}, MPI_INT, &behind);
  MPI_Type_commit(&behind);
  MPI_Type_contiguous(2, MPI_INT, &plain);
  messages();
  requests();
  collectives();
  exclusive_scans();
  MPI_Type_free(&derived);
  MPI_Type_free(&behind);
  MPI_Type_free(&plain);
  MPI_Comm_free(&self);
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
