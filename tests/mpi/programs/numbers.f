c     Fortran 77: common blocks, messages, collectives, a reduction,
c     constants that stand for addresses.
      program numbers
      implicit none
      include 'mpif.h'
      integer me, n, ierr, status(MPI_STATUS_SIZE), i, total
      integer shared(4)
      double precision x(10), y(10)
      common /state/ shared
      external combine
      integer op
      call MPI_INIT(ierr)
      call MPI_COMM_RANK(MPI_COMM_WORLD, me, ierr)
      call MPI_COMM_SIZE(MPI_COMM_WORLD, n, ierr)
      do 10 i = 1, 4
        shared(i) = me * 10 + i
 10   continue
      do 20 i = 1, 10
        x(i) = me + i / 4.0d0
        y(i) = 0
 20   continue
      call MPI_SENDRECV(x, 10, MPI_DOUBLE_PRECISION, mod(me + 1, n), 3,
     $  y, 10, MPI_DOUBLE_PRECISION, mod(me + n - 1, n), 3,
     $  MPI_COMM_WORLD, status, ierr)
      call MPI_ALLREDUCE(MPI_IN_PLACE, shared, 4, MPI_INTEGER, MPI_SUM,
     $  MPI_COMM_WORLD, ierr)
      call MPI_OP_CREATE(combine, .true., op, ierr)
      total = me + 1
      call MPI_ALLREDUCE(MPI_IN_PLACE, total, 1, MPI_INTEGER, op,
     $  MPI_COMM_WORLD, ierr)
      call MPI_BARRIER(MPI_COMM_WORLD, ierr)
      print '(i3,a,4i6,f8.2,2i6)', me, ' has', shared, y(10),
     $  status(MPI_SOURCE), total
      call consts(me, n)
      call MPI_FINALIZE(ierr)
      end

      subroutine consts(me, n)
      implicit none
      include 'mpif.h'
      integer me, n, left(1), right(1), ring, ins, outs, ierr, there
      integer in(1), out(1), weight(1), got
      integer requs(2)
      integer (kind=MPI_ADDRESS_KIND) here(1)
      integer length(1)
      logical wghted
      left(1) = mod(me + n - 1, n)
      right(1) = mod(me + 1, n)
      call MPI_DIST_GRAPH_CREATE_ADJACENT(MPI_COMM_WORLD, 1, left,
     $  MPI_UNWEIGHTED, 1, right, MPI_UNWEIGHTED, MPI_INFO_NULL,
     $  .false., ring, ierr)
      call MPI_DIST_GRAPH_NEIGHBORS_COUNT(ring, ins, outs, wghted,
     $  ierr)
      call MPI_DIST_GRAPH_NEIGHBORS(ring, 1, in, MPI_UNWEIGHTED, 1,
     $  out, MPI_UNWEIGHTED, ierr)
      print *, me, ' unweighted', ins, outs, wghted, in, out
      call MPI_COMM_FREE(ring, ierr)
      if (me .eq. 0) then
        out(1) = n - 1
        weight(1) = 5
        call MPI_DIST_GRAPH_CREATE_ADJACENT(MPI_COMM_WORLD, 0, in,
     $    MPI_WEIGHTS_EMPTY, 1, out, weight, MPI_INFO_NULL, .false.,
     $    ring, ierr)
      else if (me .eq. n - 1) then
        in(1) = 0
        weight(1) = 5
        call MPI_DIST_GRAPH_CREATE_ADJACENT(MPI_COMM_WORLD, 1, in,
     $    weight, 0, out, MPI_WEIGHTS_EMPTY, MPI_INFO_NULL, .false.,
     $    ring, ierr)
      else
        call MPI_DIST_GRAPH_CREATE_ADJACENT(MPI_COMM_WORLD, 0, in,
     $    MPI_WEIGHTS_EMPTY, 0, out, MPI_WEIGHTS_EMPTY,
     $    MPI_INFO_NULL, .false., ring, ierr)
      end if
      call MPI_DIST_GRAPH_NEIGHBORS_COUNT(ring, ins, outs, wghted,
     $  ierr)
      print *, me, ' weighted', ins, outs, wghted
      call MPI_COMM_FREE(ring, ierr)
      call MPI_GET_ADDRESS(in, here(1), ierr)
      length(1) = 1
      call MPI_TYPE_CREATE_HINDEXED(1, length, here, MPI_INTEGER,
     $  there, ierr)
      call MPI_TYPE_COMMIT(there, ierr)
      in(1) = me
      call MPI_BCAST(MPI_BOTTOM, 1, there, n - 1, MPI_COMM_WORLD, ierr)
      call MPI_SENDRECV(in, 1, MPI_INTEGER, right, 4, got, 1,
     $  MPI_INTEGER, left, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
      call MPI_IRECV(got, 1, MPI_INTEGER, left, 5, MPI_COMM_WORLD,
     $  requs(1), ierr)
      call MPI_ISEND(me, 1, MPI_INTEGER, right, 5, MPI_COMM_WORLD,
     $  requs(2), ierr)
      call MPI_WAITALL(2, requs, MPI_STATUSES_IGNORE, ierr)
      print *, me, ' at the bottom', in, got
      call MPI_TYPE_FREE(there, ierr)
      end

      subroutine combine(a, b, count, type)
      implicit none
      integer count, type, i
      integer a(count), b(count)
      do 30 i = 1, count
        b(i) = max(a(i), b(i)) + 0
 30   continue
      end
