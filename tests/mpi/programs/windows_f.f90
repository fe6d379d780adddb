! One-sided communication from Fortran 2008.
program windows
  use, intrinsic :: iso_c_binding, only: c_ptr, c_f_pointer
  use mpi_f08
  implicit none
  integer :: me, n, right, left, i, one
  integer(kind=MPI_ADDRESS_KIND) :: bytes, place
  type(MPI_Win) :: window
  type(MPI_Request) :: request
  type(c_ptr) :: memory
  integer, pointer :: cells(:)
  integer, asynchronous :: numbers(10), got(10), before

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, me)
  call MPI_Comm_size(MPI_COMM_WORLD, n)
  right = mod(me + 1, n)
  left = mod(me + n - 1, n)
  one = 1

  numbers = [(me * 100 + i, i = 1, 10)]
  got = 0
  bytes = 10 * storage_size(one) / 8
  call MPI_Win_create(numbers, bytes, storage_size(one) / 8, MPI_INFO_NULL, MPI_COMM_WORLD, window)
  call MPI_Win_fence(0, window)
  place = 2
  call MPI_Get(got, 5, MPI_INTEGER, right, place, 5, MPI_INTEGER, window)
  call MPI_Win_fence(0, window)
  print '(i0, a, 10(1x, i0))', me, '.1 got', got
  place = 7
  call MPI_Accumulate(got, 3, MPI_INTEGER, left, place, 3, MPI_INTEGER, MPI_SUM, window)
  call MPI_Win_fence(0, window)
  print '(i0, a, 10(1x, i0))', me, '.2 summed', numbers
  call MPI_Win_free(window)

  call MPI_Win_allocate(bytes, storage_size(one) / 8, MPI_INFO_NULL, MPI_COMM_WORLD, memory, window)
  call c_f_pointer(memory, cells, [10])
  cells = 0
  call MPI_Barrier(MPI_COMM_WORLD)
  call MPI_Win_lock_all(0, window)
  place = 3
  do i = 0, n - 1
    call MPI_Fetch_and_op(one, before, MPI_INTEGER, i, place, MPI_SUM, window)
  end do
  call MPI_Win_flush_all(window)
  call MPI_Barrier(MPI_COMM_WORLD)
  call MPI_Rget(got, 10, MPI_INTEGER, right, 0_MPI_ADDRESS_KIND, 10, MPI_INTEGER, window, request)
  call MPI_Wait(request, MPI_STATUS_IGNORE)
  call MPI_Win_unlock_all(window)
  print '(i0, a, 10(1x, i0))', me, '.3 counted', got
  call MPI_Win_free(window)
  call MPI_Finalize()
end program windows
