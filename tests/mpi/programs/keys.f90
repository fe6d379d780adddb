! Keys of attributes, operations, error handlers and generalized requests whose functions are
! Fortran's, and statuses that are ignored.
module counted
  use mpi
  implicit none
  integer :: copies = 0, deletes = 0, queries = 0, frees = 0, told = 0
contains
  subroutine copy_it(comm, key, extra, value, copied, flag, ierror)
    integer :: comm, key, ierror
    integer(MPI_ADDRESS_KIND) :: extra, value, copied
    logical :: flag
    copies = copies + 1
    copied = value * 2 + extra
    flag = .true.
    ierror = MPI_SUCCESS
  end subroutine
  subroutine delete_it(comm, key, value, extra, ierror)
    integer :: comm, key, ierror
    integer(MPI_ADDRESS_KIND) :: value, extra
    deletes = deletes + 1
    ierror = MPI_SUCCESS
  end subroutine
  subroutine refuse_copy(comm, key, extra, value, copied, flag, ierror)
    integer :: comm, key, ierror
    integer(MPI_ADDRESS_KIND) :: extra, value, copied
    logical :: flag
    flag = .false.
    ierror = MPI_SUCCESS
  end subroutine
  subroutine product_of(in, inout, count, datatype)
    integer :: count, datatype
    integer :: in(count), inout(count)
    inout = mod(in * 3 + inout * 5, 1009)
  end subroutine
  subroutine handler(comm, code)
    integer :: comm, code
    told = told + 1
  end subroutine
  subroutine query(extra, status, ierror)
    integer(MPI_ADDRESS_KIND) :: extra
    integer :: status(MPI_STATUS_SIZE), ierror
    queries = queries + 1
    call MPI_STATUS_SET_ELEMENTS(status, MPI_INTEGER, int(extra), ierror)
    call MPI_STATUS_SET_CANCELLED(status, .false., ierror)
    status(MPI_SOURCE) = 1
    status(MPI_TAG) = 2
    ierror = MPI_SUCCESS
  end subroutine
  subroutine free_it(extra, ierror)
    integer(MPI_ADDRESS_KIND) :: extra
    integer :: ierror
    frees = frees + int(extra)
    ierror = MPI_SUCCESS
  end subroutine
  subroutine cancel_it(extra, complete, ierror)
    integer(MPI_ADDRESS_KIND) :: extra
    logical :: complete
    integer :: ierror
    ierror = MPI_SUCCESS
  end subroutine
end module

program keys
  use counted
  implicit none
  integer :: ierror, me, n, key, other, comm, copy, datatype, second, op, errhandler, request, i
  integer :: mine(3), all(3), status(MPI_STATUS_SIZE), requests(64), got(64), guard(64), number
  integer(MPI_ADDRESS_KIND) :: extra, value
  logical :: flag
  call MPI_INIT(ierror)
  call MPI_COMM_RANK(MPI_COMM_WORLD, me, ierror)
  call MPI_COMM_SIZE(MPI_COMM_WORLD, n, ierror)

  extra = 1000 + me
  call MPI_COMM_CREATE_KEYVAL(copy_it, delete_it, key, extra, ierror)
  call MPI_COMM_CREATE_KEYVAL(MPI_COMM_DUP_FN, MPI_COMM_NULL_DELETE_FN, other, extra, ierror)
  call MPI_COMM_DUP(MPI_COMM_WORLD, comm, ierror)
  value = -7 - me
  call MPI_COMM_SET_ATTR(comm, key, value, ierror)
  value = huge(value) - me
  call MPI_COMM_SET_ATTR(comm, other, value, ierror)
  call MPI_COMM_DUP(comm, copy, ierror)
  call MPI_COMM_GET_ATTR(copy, key, value, flag, ierror)
  print '(i0,a,l2,1x,i0)', me, ' copied', flag, value
  call MPI_COMM_GET_ATTR(copy, other, value, flag, ierror)
  print '(i0,a,l2,1x,i0)', me, ' the same', flag, value
  call MPI_COMM_DELETE_ATTR(comm, key, ierror)
  call MPI_COMM_FREE(copy, ierror)
  call MPI_COMM_GET_ATTR(comm, key, value, flag, ierror)
  print '(i0,a,l2,2(1x,i0))', me, ' deleted', flag, copies, deletes
  call MPI_COMM_FREE_KEYVAL(key, ierror)
  call MPI_COMM_FREE_KEYVAL(other, ierror)

  call MPI_COMM_GET_ATTR(MPI_COMM_WORLD, MPI_TAG_UB, value, flag, ierror)
  print '(i0,a,l2,l2)', me, ' most tag', flag, value >= 32767
  call MPI_COMM_GET_ATTR(MPI_COMM_WORLD, MPI_WTIME_IS_GLOBAL, value, flag, ierror)
  print '(i0,a,l2,l2)', me, ' clock', flag, value == 0 .or. value == 1

  call MPI_TYPE_CREATE_KEYVAL(copy_it, delete_it, key, extra, ierror)
  call MPI_TYPE_CREATE_KEYVAL(refuse_copy, delete_it, other, extra, ierror)
  call MPI_TYPE_CONTIGUOUS(2, MPI_INTEGER, datatype, ierror)
  value = 5
  call MPI_TYPE_SET_ATTR(datatype, key, value, ierror)
  call MPI_TYPE_SET_ATTR(datatype, other, value, ierror)
  call MPI_TYPE_DUP(datatype, second, ierror)
  call MPI_TYPE_GET_ATTR(second, key, value, flag, ierror)
  print '(i0,a,l2,1x,i0)', me, ' of a type', flag, value
  call MPI_TYPE_GET_ATTR(second, other, value, flag, ierror)
  print '(i0,a,l2)', me, ' not copied', flag
  call MPI_TYPE_FREE(second, ierror)
  call MPI_TYPE_FREE(datatype, ierror)
  print '(i0,a,2(1x,i0))', me, ' of types', copies, deletes

  call MPI_OP_CREATE(product_of, .false., op, ierror)
  mine = [me + 1, me * 7, 3]
  call MPI_ALLREDUCE(mine, all, 3, MPI_INTEGER, op, comm, ierror)
  print '(i0,a,3(1x,i0))', me, ' combined', all
  call MPI_OP_FREE(op, ierror)

  call MPI_COMM_CREATE_ERRHANDLER(handler, errhandler, ierror)
  call MPI_COMM_SET_ERRHANDLER(comm, errhandler, ierror)
  call MPI_SEND(mine, 1, MPI_INTEGER, n + 5, 0, comm, ierror)
  print '(i0,a,i2,l2)', me, ' told', told, ierror /= MPI_SUCCESS
  call MPI_ERRHANDLER_FREE(errhandler, ierror)

  extra = 4
  call MPI_GREQUEST_START(query, free_it, cancel_it, extra, request, ierror)
  call MPI_GREQUEST_COMPLETE(request, ierror)
  call MPI_WAIT(request, status, ierror)
  call MPI_GET_COUNT(status, MPI_INTEGER, number, ierror)
  print '(i0,a,5(1x,i0))', me, ' own request', number, status(MPI_TAG), queries, frees

  ! Many statuses that nobody wants.
  guard = 77
  do i = 1, 32
    call MPI_IRECV(got(i), 1, MPI_INTEGER, mod(me + 1, n), i, comm, requests(i), ierror)
    call MPI_ISEND(guard(i), 1, MPI_INTEGER, mod(me + n - 1, n), i, comm, requests(32 + i), ierror)
  end do
  call MPI_WAITALL(64, requests, MPI_STATUSES_IGNORE, ierror)
  call MPI_SENDRECV(me, 1, MPI_INTEGER, mod(me + 1, n), 99, i, 1, MPI_INTEGER, &
                    mod(me + n - 1, n), 99, comm, MPI_STATUS_IGNORE, ierror)
  print '(i0,a,2(1x,i0))', me, ' ignored', sum(got(1:32)), i
  print '(i0,a,2(1x,i0))', me, ' unchanged', MPI_STATUSES_IGNORE(1, 1), MPI_STATUS_IGNORE(1)
  call constants()
  call MPI_COMM_FREE(comm, ierror)
  call MPI_BARRIER(MPI_COMM_WORLD, ierror)
  call MPI_FINALIZE(ierror)
contains
  ! Those that stand for addresses.
  subroutine constants()
    integer :: ring, ins, outs, sources(1), destinations(1), weights(1), there
    integer(MPI_ADDRESS_KIND) :: here
    logical :: weighted
    integer, target :: value
    call MPI_DIST_GRAPH_CREATE_ADJACENT(comm, 1, [mod(me + n - 1, n)], MPI_UNWEIGHTED, 1, [mod(me + 1, n)], &
                                        MPI_UNWEIGHTED, MPI_INFO_NULL, .false., ring, ierror)
    call MPI_DIST_GRAPH_NEIGHBORS_COUNT(ring, ins, outs, weighted, ierror)
    call MPI_DIST_GRAPH_NEIGHBORS(ring, 1, sources, MPI_UNWEIGHTED, 1, destinations, MPI_UNWEIGHTED, ierror)
    print '(i0,a,2(1x,i0),1x,l1,2(1x,i0))', me, ' unweighted', ins, outs, weighted, sources, destinations
    call MPI_COMM_FREE(ring, ierror)
    if (me == 0) then
      call MPI_DIST_GRAPH_CREATE_ADJACENT(comm, 0, sources, MPI_WEIGHTS_EMPTY, 1, [n - 1], [5], MPI_INFO_NULL, &
                                          .false., ring, ierror)
    else if (me == n - 1) then
      call MPI_DIST_GRAPH_CREATE_ADJACENT(comm, 1, [0], [5], 0, destinations, MPI_WEIGHTS_EMPTY, MPI_INFO_NULL, &
                                          .false., ring, ierror)
    else
      call MPI_DIST_GRAPH_CREATE_ADJACENT(comm, 0, sources, MPI_WEIGHTS_EMPTY, 0, destinations, &
                                          MPI_WEIGHTS_EMPTY, MPI_INFO_NULL, .false., ring, ierror)
    end if
    call MPI_DIST_GRAPH_NEIGHBORS_COUNT(ring, ins, outs, weighted, ierror)
    weights = 0
    call MPI_DIST_GRAPH_NEIGHBORS(ring, ins, sources, weights, outs, destinations, MPI_UNWEIGHTED, ierror)
    print '(i0,a,2(1x,i0),1x,l1,1x,i0)', me, ' weighted', ins, outs, weighted, weights
    call MPI_COMM_FREE(ring, ierror)
    value = me
    call MPI_GET_ADDRESS(value, here, ierror)
    call MPI_TYPE_CREATE_HINDEXED(1, [1], [here], MPI_INTEGER, there, ierror)
    call MPI_TYPE_COMMIT(there, ierror)
    call MPI_BCAST(MPI_BOTTOM, 1, there, n - 1, comm, ierror)
    call MPI_ALLREDUCE(MPI_IN_PLACE, value, 1, MPI_INTEGER, MPI_SUM, comm, ierror)
    print '(i0,a,1x,i0)', me, ' at the bottom', value
    call MPI_TYPE_FREE(there, ierror)
  end subroutine
end program
