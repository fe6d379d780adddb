! Fortran 2008: the module mpi_f08, allocatable arrays, derived types, saved variables, and constants
! that stand for addresses.
module state
  implicit none
  integer, save :: calls = 0
  real(8), allocatable :: field(:, :)
end module

program fields
  use mpi_f08
  use state
  implicit none
  integer :: me, n, left, right, i, step
  type(MPI_Status) :: status
  type(MPI_Request) :: requests(2)
  type(MPI_Comm) :: half
  type(MPI_Datatype) :: row
  real(8) :: total
  integer :: size_of_half, got

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, me)
  call MPI_Comm_size(MPI_COMM_WORLD, n)
  left = mod(me + n - 1, n)
  right = mod(me + 1, n)
  allocate(field(6, 8))
  do i = 1, 8
    field(:, i) = me * 100 + [(i * 6 + step, step = 1, 6)]
  end do
  call MPI_Type_vector(8, 1, 6, MPI_REAL8, row)
  call MPI_Type_commit(row)
  do step = 1, 5
    call MPI_Irecv(field(1, 1), 1, row, left, step, MPI_COMM_WORLD, requests(1))
    call MPI_Isend(field(5, 1), 1, row, right, step, MPI_COMM_WORLD, requests(2))
    call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE)
    field(2:5, :) = 0.5d0 * (field(1:4, :) + field(3:6, :))
    call count_call()
  end do
  total = sum(field)
  call MPI_Allreduce(MPI_IN_PLACE, total, 1, MPI_REAL8, MPI_SUM, MPI_COMM_WORLD)
  call MPI_Comm_split(MPI_COMM_WORLD, mod(me, 2), me, half)
  call MPI_Comm_size(half, size_of_half)
  call MPI_Sendrecv(me, 1, MPI_INTEGER, right, 1, got, 1, MPI_INTEGER, left, 1, MPI_COMM_WORLD, status)
  print '(i3,a,f14.6,4i5)', me, ' total', total, calls, size_of_half, got, status%MPI_SOURCE
  call MPI_Comm_free(half)
  call MPI_Type_free(row)
  call constants()
  call MPI_Finalize()
contains
  subroutine constants()
    integer :: ins, outs, sources(4), destinations(4), weights(4), again(4)
    integer, target :: number
    integer(MPI_ADDRESS_KIND) :: here
    logical :: weighted
    type(MPI_Comm) :: ring
    type(MPI_Datatype) :: there
    call MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, [left], MPI_UNWEIGHTED, 1, [right], MPI_UNWEIGHTED, &
         MPI_INFO_NULL, .false., ring)
    call MPI_Dist_graph_neighbors_count(ring, ins, outs, weighted)
    call MPI_Dist_graph_neighbors(ring, ins, sources, MPI_UNWEIGHTED, outs, destinations, MPI_UNWEIGHTED)
    print '(i0,a,2(1x,i0),1x,l1,2(1x,i0))', me, ' unweighted', ins, outs, weighted, sources(1), destinations(1)
    call MPI_Comm_free(ring)
    call MPI_Dist_graph_create(MPI_COMM_WORLD, 1, [me], [1], [right], MPI_UNWEIGHTED, MPI_INFO_NULL, .false., ring)
    call MPI_Dist_graph_neighbors_count(ring, ins, outs, weighted)
    print '(i0,a,2(1x,i0),1x,l1)', me, ' unweighted', ins, outs, weighted
    call MPI_Comm_free(ring)
    ! Rank 0 has edges to all others.
    if (me == 0) then
       call MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 0, sources, MPI_WEIGHTS_EMPTY, n - 1, [(i, i = 1, n - 1)], &
         [(10 * i, i = 1, n - 1)], MPI_INFO_NULL, .false., ring)
    else
       call MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, [0], [10 * me], 0, destinations, MPI_WEIGHTS_EMPTY, &
         MPI_INFO_NULL, .false., ring)
    end if
    call MPI_Dist_graph_neighbors_count(ring, ins, outs, weighted)
    weights = 0
    again = 0
    call MPI_Dist_graph_neighbors(ring, ins, sources, weights, outs, destinations, again)
    print '(i0,a,2(1x,i0),1x,l1,2(1x,i0))', me, ' weighted', ins, outs, weighted, sum(weights), sum(again)
    call MPI_Comm_free(ring)
    number = me
    call MPI_Get_address(number, here)
    call MPI_Type_create_hindexed(1, [1], [here], MPI_INTEGER, there)
    call MPI_Type_commit(there)
    call MPI_Sendrecv(MPI_BOTTOM, 1, there, right, 4, got, 1, MPI_INTEGER, left, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    call MPI_Bcast(MPI_BOTTOM, 1, there, 0, MPI_COMM_WORLD)
    print '(i0,a,2(1x,i0))', me, ' at the bottom', got, number
    call MPI_Type_free(there)
  end subroutine
  subroutine count_call()
    integer, save :: own = 0
    own = own + 1
    calls = own
  end subroutine
end program
