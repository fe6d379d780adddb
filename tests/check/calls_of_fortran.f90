! What libgfortran does: units of files and of texts, formats, namelists, the system.

subroutine fortran_texts() bind(c)
  implicit none
  character(len=200) :: text
  character(len=8) :: layout
  integer :: n, values(8)
  real(8) :: x, table(3)
  complex(8) :: z
  namelist /group/ n, x, table
  write (text, '(a,i5,f10.3,es12.4)') 'text', 5, 2.5d0, 1d300
  read (text(5:9), *) n
  write (text, *) 1.5d0, .true., (1d0, 2d0)
  read (text, *) x
  n = 5
  x = 2.5d0
  table = 1d0
  z = (1d0, 2d0)
  write (text, '(2g0)') z
  text = '&group n=7, x=1.5, table=3*2.0 /'
  read (text, nml=group)
  read (text, '(i5)', iostat=n) n
  layout = '(q)'
  write (text, layout, iostat=n) 5
  read (text, '(z2)', iostat=n, iomsg=text) n
  call date_and_time(values=values)
end subroutine

subroutine fortran_files() bind(c)
  implicit none
  integer :: unit, i, n
  logical :: there
  character(len=100) :: name
  open (newunit=unit, status='scratch', form='formatted')
  do i = 1, 100
    write (unit, '(i5,1x,a)') i, 'a line of the file'
  end do
  rewind (unit)
  read (unit, *) n
  backspace (unit)
  inquire (unit=unit, opened=there, name=name)
  flush (unit)
  close (unit)
  open (newunit=unit, status='scratch', form='unformatted', access='stream')
  write (unit) (i, i = 1, 1000)
  read (unit, pos=1) n
  close (unit)
  open (newunit=unit, status='scratch', form='unformatted', access='direct', recl=8)
  write (unit, rec=5) 1.5d0
  close (unit)
  open (newunit=unit, file='/no/such/file', status='old', iostat=n)
  inquire (file='/tmp', exist=there)
end subroutine

subroutine fortran_system() bind(c)
  implicit none
  character(len=200) :: text
  integer :: n, status, ticks
  real :: seconds, numbers(10)
  integer, allocatable :: seed(:)
  call get_command_argument(0, text, length=n, status=status)
  call get_command(text)
  call get_environment_variable('HOME', text)
  call execute_command_line('true', exitstat=status)
  call system_clock(ticks)
  call cpu_time(seconds)
  call random_seed(size=n)
  allocate (seed(n))
  call random_seed(get=seed)
  call random_number(numbers)
  deallocate (seed)
end subroutine

subroutine fortran_arrays() bind(c)
  implicit none
  real(8), allocatable :: a(:,:), b(:,:), c(:,:)
  character(len=:), allocatable :: text
  integer :: i
  allocate (a(40,40), b(40,40))
  a = 1d0
  b = reshape([(dble(i), i = 1, 1600)], [40, 40])
  c = matmul(a, transpose(b))
  a = cshift(c, 5, dim=2)
  b = eoshift(a, 3)
  text = repeat('ab', 100) // trim('x  ')
  text = text // adjustl('  y')
  if (maxval(pack(c, c > 0d0)) < 0d0 .or. index(text, 'zz') > 0) print *, 'never'
end subroutine
