! Files from Fortran, by `use mpi` and by `mpi_f08`: handles, offsets of 64 bits, views, statuses.
module old_way
  implicit none
contains
  subroutine by_mpi(path, me, n)
    use mpi
    character(*), intent(in) :: path
    integer, intent(in) :: me, n
    integer :: file, ierr, column, got, status(MPI_STATUS_SIZE), class
    integer(MPI_OFFSET_KIND) :: size, at
    integer(MPI_ADDRESS_KIND) :: extent
    real(8) :: mine(10), all(10, n)
    mine = me + [1d0, 2d0, 3d0, 4d0, 5d0, 6d0, 7d0, 8d0, 9d0, 10d0] / 16
    call MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE + MPI_MODE_RDWR, MPI_INFO_NULL, file, ierr)
    call MPI_Type_create_subarray(2, [n, 10], [1, 10], [me, 0], MPI_ORDER_FORTRAN, MPI_REAL8, &
                                  column, ierr)
    call MPI_Type_commit(column, ierr)
    at = 8
    call MPI_File_set_view(file, at, MPI_REAL8, column, 'native', MPI_INFO_NULL, ierr)
    call MPI_File_write_all(file, mine, 10, MPI_REAL8, status, ierr)
    call MPI_Get_count(status, MPI_REAL8, got, ierr)
    call MPI_File_get_type_extent(file, MPI_REAL8, extent, ierr)
    print '(i0,a,i0,1x,i0)', me, ' written ', got, extent
    call MPI_File_sync(file, ierr)
    call MPI_Barrier(MPI_COMM_WORLD, ierr)
    at = 8
    call MPI_File_set_view(file, at, MPI_REAL8, MPI_REAL8, 'native', MPI_INFO_NULL, ierr)
    at = 0
    call MPI_File_read_at_all(file, at, all, 10 * n, MPI_REAL8, status, ierr)
    call MPI_File_get_size(file, size, ierr)
    print '(i0,a,f12.4,1x,i0)', me, ' sum ', sum(all * reshape([(got, got = 1, 10 * n)], [10, n])), size
    at = -1
    call MPI_File_read_at(file, at, all, 1, MPI_REAL8, status, ierr)
    call MPI_Error_class(ierr, class, ierr)
    print '(i0,a,l1)', me, ' negative ', class == MPI_ERR_ARG
    call MPI_Type_free(column, ierr)
    call MPI_File_close(file, ierr)
    print '(i0,a,l1)', me, ' closed ', file == MPI_FILE_NULL
  end subroutine
end module

program files
  use mpi_f08
  use old_way
  implicit none
  type(MPI_File) :: file
  type(MPI_Status) :: status
  type(MPI_Request) :: request
  integer :: me, n, got, i, values(6), again(6), ierr
  integer(MPI_OFFSET_KIND) :: at
  character(300) :: path

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, me)
  call MPI_Comm_size(MPI_COMM_WORLD, n)
  call get_environment_variable('TMPDIR', path)
  path = trim(path) // '/roam_files_fortran'
  call by_mpi(trim(path), me, n)

  call MPI_File_open(MPI_COMM_WORLD, trim(path), MPI_MODE_RDWR + MPI_MODE_DELETE_ON_CLOSE, &
                     MPI_INFO_NULL, file)
  at = 24 * me
  values = [(me * 10 + i, i = 1, 6)]
  call MPI_File_set_view(file, at, MPI_INTEGER, MPI_INTEGER, 'native', MPI_INFO_NULL)
  call MPI_File_iwrite(file, values, 6, MPI_INTEGER, request)
  call MPI_Wait(request, status)
  call MPI_Get_count(status, MPI_INTEGER, got)
  at = -3
  call MPI_File_seek(file, at, MPI_SEEK_CUR)
  call MPI_File_get_position(file, at)
  again = 0
  call MPI_File_read(file, again, 3, MPI_INTEGER, status)
  print '(i0,a,i0,1x,i0,1x,6(1x,i0))', me, ' by pointers ', got, at, again
  call MPI_Barrier(MPI_COMM_WORLD)
  at = 0
  call MPI_File_set_view(file, at, MPI_INTEGER, MPI_INTEGER, 'native', MPI_INFO_NULL)
  call MPI_File_seek_shared(file, at, MPI_SEEK_SET)
  call MPI_File_write_ordered(file, values, me + 1, MPI_INTEGER, status)
  call MPI_File_get_position_shared(file, at)
  print '(i0,a,i0)', me, ' shared at ', at
  call MPI_Barrier(MPI_COMM_WORLD)
  at = 0
  call MPI_File_read_at_all_begin(file, at, again, 6, MPI_INTEGER)
  call MPI_File_read_at_all_end(file, again, status)
  print '(i0,a,6(1x,i0))', me, ' in order ', again
  call MPI_File_close(file, ierr)
  call MPI_File_open(MPI_COMM_WORLD, trim(path), MPI_MODE_RDONLY, MPI_INFO_NULL, file, ierr)
  call MPI_Error_class(ierr, got)
  print '(i0,a,l1)', me, ' removed ', got == MPI_ERR_NO_SUCH_FILE
  call MPI_Finalize()
end program
