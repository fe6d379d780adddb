! A plain program of Fortran: common blocks, saved variables, modules, allocatable arrays, internal
! and external writes, formats.
module state
  implicit none
  real(8), allocatable :: field(:)
  integer :: steps = 5
end module state

subroutine advance(me)
  use state
  implicit none
  integer, intent(in) :: me
  integer, save :: calls = 0
  integer :: shared_number
  real(8) :: shared_real
  common /block/ shared_real, shared_number
  calls = calls + 1
  steps = steps + me
  shared_number = shared_number + calls * me
  shared_real = shared_real + 0.5d0 * me
  field = field + me * calls
end subroutine advance

program fields
  use state
  use iso_c_binding, only: c_int
  implicit none
  interface
    integer(c_int) function sched_yield() bind(c)
      import c_int
    end function sched_yield
  end interface
  integer :: me, i, ignored, shared_number
  real(8) :: shared_real
  character(len=16) :: word
  character(len=80) :: line
  common /block/ shared_real, shared_number
  call get_environment_variable("ROAM_VIRTUAL_RANK", word)
  read (word, *) me
  allocate (field(1000))
  field = me
  do i = 1, 30
    call advance(me)
    ignored = sched_yield()
  end do
  write (line, '(I3,": steps ",I6," number ",I8," real ",F10.2)') me, steps, shared_number, shared_real
  print '(A," sum ",ES14.6)', trim(line), sum(field)
end program fields
