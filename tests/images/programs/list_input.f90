! Fortran's standard input, list-directed and by lines, as programs read their parameters.
program list_input
  use iso_c_binding, only: c_int
  implicit none
  interface
    integer(c_int) function sched_yield() bind(c)
      import c_int
    end function sched_yield
  end interface
  integer :: me, number, next, failed, ignored, lines
  character(len=32) :: word, line
  call get_environment_variable("ROAM_VIRTUAL_RANK", word)
  read (word, *) me
  lines = 0
  do
    ignored = sched_yield()
    read (*, *, iostat=failed) number, word
    if (failed /= 0) exit
    ignored = sched_yield()
    read (5, "(a)", iostat=failed) line
    if (failed /= 0) exit
    read (line, *) next
    print "(i0, a, i0, 1x, a, 1x, i0)", me, ": ", number, trim(word), next
    lines = lines + 2
  end do
  print "(i0, a, i0, a, l1)", me, ": ", lines, " lines, at the end ", is_iostat_end(failed)
end program list_input
