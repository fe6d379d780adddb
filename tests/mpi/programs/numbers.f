c     Fortran 77: common blocks, messages, collectives, a reduction.
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
      call MPI_FINALIZE(ierr)
      end

      subroutine combine(a, b, count, type)
      implicit none
      integer count, type, i
      integer a(count), b(count)
      do 30 i = 1, count
        b(i) = max(a(i), b(i)) + 0
 30   continue
      end
