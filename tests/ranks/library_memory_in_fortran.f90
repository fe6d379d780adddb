! What Fortran's library keeps for the process, and what it gives to the program.
module library_memory
  use, intrinsic :: iso_c_binding
  implicit none
contains

  ! Writes numbers into a text by formats that the library parses and keeps, and reads them back.
  ! Returns how many came back wrong.
  integer(c_int) function fortran_internal(first) bind(c)
    integer(c_int), value :: first
    character(len=200) :: text
    character(len=40) :: layout
    integer :: i, back
    real(8) :: x, y
    fortran_internal = 0
    do i = first, first + 40
      write (layout, '(a,i0,a,i0,a)') '(i', mod(i, 9) + 8, ',1x,es', mod(i, 7) + 20, '.12)'
      x = i * 1.25d0
      write (text, layout) i, x
      read (text, *) back, y
      if (back /= i .or. y /= x) fortran_internal = fortran_internal + 1
      write (text, *) i, x, (1.0, 2.0), .true.
    end do
  end function

  ! The same through a file without a name.
  integer(c_int) function fortran_file() bind(c)
    integer :: unit, i, back
    fortran_file = 0
    open (newunit=unit, status='scratch', form='formatted')
    do i = 1, 500
      write (unit, '(i8)') i
    end do
    rewind (unit)
    do i = 1, 500
      read (unit, *) back
      if (back /= i) fortran_file = fortran_file + 1
    end do
    close (unit)
  end function

  integer(c_int) function fortran_open() bind(c)
    open (newunit=fortran_open, status='scratch')
  end function
  subroutine fortran_close(unit) bind(c)
    integer(c_int), value :: unit
    close (unit)
  end subroutine

  real(c_double) function fortran_random() bind(c)
    integer :: n
    integer, allocatable :: seed(:)
    call random_seed(size=n)
    allocate (seed(n))
    seed = 4711
    call random_seed(put=seed)
    call random_number(fortran_random)
  end function

  ! Memory that the library gives: results that it allocates. It is made before, and used after
  ! `move` has been called.
  integer(c_int) function fortran_given(move) bind(c)
    interface
      subroutine move() bind(c)
      end subroutine
    end interface
    real(8), allocatable :: a(:, :), b(:, :), c(:, :)
    character(len=:), allocatable :: text
    integer :: i
    a = reshape([(real(i, 8), i = 1, 2500)], [50, 50])
    b = transpose(a)
    c = matmul(a, b)
    text = trim('some text      ') // trim(' and more   ')
    call move()
    fortran_given = 0
    if (any(c /= matmul(a, transpose(a)))) fortran_given = 1
    if (any(pack(a, a > 100) /= [(real(i, 8), i = 101, 2500)])) fortran_given = 2
    if (text /= 'some text and more') fortran_given = 3
  end function
end module
