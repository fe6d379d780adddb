C     Keys of the first standard, whose values are INTEGERs, and what C's
C     predefined ones are to Fortran.
      program keys
      include 'mpif.h'
      external copyit, delit
      integer ierror, me, n, key, other, comm, value, extra, second
      integer ncopy, ndel
      logical flag
      common /counts/ ncopy, ndel
      ncopy = 0
      ndel = 0
      call MPI_INIT(ierror)
      call MPI_COMM_RANK(MPI_COMM_WORLD, me, ierror)
      call MPI_COMM_SIZE(MPI_COMM_WORLD, n, ierror)
      extra = 10 * me
      call MPI_KEYVAL_CREATE(copyit, delit, key, extra, ierror)
      call MPI_KEYVAL_CREATE(MPI_DUP_FN, MPI_NULL_DELETE_FN, other,
     &                       extra, ierror)
      call MPI_COMM_DUP(MPI_COMM_WORLD, comm, ierror)
      call MPI_ATTR_PUT(comm, key, -5 - me, ierror)
      call MPI_ATTR_PUT(comm, other, me, ierror)
      call MPI_COMM_DUP(comm, second, ierror)
      call MPI_ATTR_GET(second, key, value, flag, ierror)
      write (*, *) me, ' copied ', flag, value, ncopy
      call MPI_ATTR_GET(second, other, value, flag, ierror)
      write (*, *) me, ' the same ', flag, value
      call MPI_ATTR_PUT(second, key, 3, ierror)
      write (*, *) me, ' put again ', ndel
      call MPI_ATTR_DELETE(comm, key, ierror)
      call MPI_ATTR_GET(comm, key, value, flag, ierror)
      write (*, *) me, ' deleted ', flag, ndel
      call MPI_COMM_FREE(second, ierror)
      call MPI_COMM_FREE(comm, ierror)
      write (*, *) me, ' freed ', ndel
      call MPI_KEYVAL_FREE(key, ierror)
      call MPI_KEYVAL_FREE(other, ierror)
      call MPI_ATTR_GET(MPI_COMM_WORLD, MPI_TAG_UB, value, flag,
     &                  ierror)
      write (*, *) me, ' most tag ', flag, value .ge. 32767
      call MPI_FINALIZE(ierror)
      end

      subroutine copyit(comm, key, extra, value, copied, flag, ierror)
      include 'mpif.h'
      integer comm, key, extra, value, copied, ierror, ncopy, ndel
      logical flag
      common /counts/ ncopy, ndel
      ncopy = ncopy + 1
      copied = value + extra
      flag = .true.
      ierror = MPI_SUCCESS
      end

      subroutine delit(comm, key, value, extra, ierror)
      include 'mpif.h'
      integer comm, key, value, extra, ierror, ncopy, ndel
      common /counts/ ncopy, ndel
      ndel = ndel + 1
      ierror = MPI_SUCCESS
      end
