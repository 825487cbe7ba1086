//! The machine code that answers for the vDSO: x86_64, position-independent, a few dozen bytes a function.

/// How far the clock is off: whole seconds, rounded down, and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    seconds: i64,
    /// 0 .. 1,000,000,000
    nanoseconds: i32,
}

impl Offset {
    pub fn of_ms(offset_ms: i64) -> Offset {
        let rest_ms = offset_ms.rem_euclid(1000) as i32;
        Offset { seconds: offset_ms.div_euclid(1000), nanoseconds: rest_ms * 1_000_000 }
    }
}

/// Code for all functions, and where in it each one begins.
#[derive(Debug)]
pub(super) struct Code {
    pub bytes: Vec<u8>,
    pub clock_gettime: usize,
    pub gettimeofday: usize,
    pub time: usize,
}

/// Length of a jump, and so of what must be free at the beginning of a function.
pub(super) const JUMP_LENGTH: usize = 5;

/// `jmp to`, at `from`; both counted from the same beginning.
pub(super) fn jump(from: usize, to: usize) -> Vec<u8> {
    let distance = to as i64 - (from + JUMP_LENGTH) as i64;
    let distance = i32::try_from(distance).expect("a vDSO is a few pages long");
    [&[0xe9][..], &distance.to_le_bytes()].concat()
}

/// Assembles all functions for one offset. The length is the same for every offset.
pub(super) fn assemble(offset: Offset) -> Code {
    let clock_gettime = clock_gettime(offset);
    let gettimeofday_at = clock_gettime.len();
    let gettimeofday = gettimeofday(offset);
    let time_at = gettimeofday_at + gettimeofday.len();
    let time = time(time_at);
    Code {
        bytes: [clock_gettime, gettimeofday, time].concat(),
        clock_gettime: 0,
        gettimeofday: gettimeofday_at,
        time: time_at,
    }
}

/// Clocks that tell the time of day: REALTIME (0), REALTIME_COARSE (5), REALTIME_ALARM (8), TAI (11).
const SHIFTED_CLOCKS: u32 = 1 << 0 | 1 << 5 | 1 << 8 | 1 << 11;
const LAST_SHIFTED_CLOCK: u8 = 11;

/// `int clock_gettime(int clock /* edi */, struct timespec *out /* rsi */)`
#[rustfmt::skip]
fn clock_gettime(offset: Offset) -> Vec<u8> {
    let mut shift = add_seconds(offset.seconds);
    shift.extend([0x48, 0x8b, 0x56, 0x08]);                            //     mov rdx, [rsi + 8]
    shift.extend(add_fraction(offset.nanoseconds, 1_000_000_000));
    shift.extend([0x48, 0x89, 0x56, 0x08]);                            //     mov [rsi + 8], rdx
    shift.extend([0x48, 0x01, 0x0e]);                                  //     add [rsi], rcx
    let mut pick = vec![0x83, 0xff, LAST_SHIFTED_CLOCK];               //     cmp edi, 11
    pick.extend([0x77, (5 + 3 + 2 + shift.len()) as u8]);              //     ja out
    pick.push(0xba); pick.extend(SHIFTED_CLOCKS.to_le_bytes());        //     mov edx, SHIFTED_CLOCKS
    pick.extend([0x0f, 0xa3, 0xfa]);                                   //     bt edx, edi
    pick.extend([0x73, shift.len() as u8]);                            //     jnc out
    let mut code = vec![0xb8];
    code.extend(228u32.to_le_bytes());                                 //     mov eax, SYS_clock_gettime
    code.extend([0x0f, 0x05]);                                         //     syscall
    code.extend([0x85, 0xc0]);                                         //     test eax, eax
    code.extend([0x75, (pick.len() + shift.len()) as u8]);             //     jnz out
    code.extend(pick);
    code.extend(shift);
    code.push(0xc3);                                                   // out: ret
    code
}

/// `int gettimeofday(struct timeval *out /* rdi */, struct timezone *zone /* rsi */)`
#[rustfmt::skip]
fn gettimeofday(offset: Offset) -> Vec<u8> {
    let mut shift = add_seconds(offset.seconds);
    shift.extend([0x48, 0x8b, 0x57, 0x08]);                            //     mov rdx, [rdi + 8]
    shift.extend(add_fraction(offset.nanoseconds / 1000, 1_000_000));
    shift.extend([0x48, 0x89, 0x57, 0x08]);                            //     mov [rdi + 8], rdx
    shift.extend([0x48, 0x01, 0x0f]);                                  //     add [rdi], rcx
    let mut code = vec![0xb8];
    code.extend(96u32.to_le_bytes());                                  //     mov eax, SYS_gettimeofday
    code.extend([0x0f, 0x05]);                                         //     syscall
    code.extend([0x85, 0xc0]);                                         //     test eax, eax
    code.extend([0x75, (3 + 2 + shift.len()) as u8]);                  //     jnz out
    code.extend([0x48, 0x85, 0xff]);                                   //     test rdi, rdi
    code.extend([0x74, shift.len() as u8]);                            //     jz out
    code.extend(shift);
    code.push(0xc3);                                                   // out: ret
    code
}

/// `time_t time(time_t *out /* rdi */)`. The system call of this name has no fraction of a second to carry from.
#[rustfmt::skip]
fn time(at: usize) -> Vec<u8> {
    let mut code = vec![0x57];                                         //     push rdi
    code.extend([0x48, 0x83, 0xec, 0x10]);                             //     sub rsp, 16
    code.extend([0xbf, 0x05, 0x00, 0x00, 0x00]);                       //     mov edi, CLOCK_REALTIME_COARSE
    code.extend([0x48, 0x89, 0xe6]);                                   //     mov rsi, rsp
    let distance = -((at + code.len() + 5) as i32);
    code.push(0xe8); code.extend(distance.to_le_bytes());              //     call clock_gettime
    code.extend([0x48, 0x8b, 0x04, 0x24]);                             //     mov rax, [rsp]
    code.extend([0x48, 0x83, 0xc4, 0x10]);                             //     add rsp, 16
    code.push(0x5f);                                                   //     pop rdi
    code.extend([0x48, 0x85, 0xff]);                                   //     test rdi, rdi
    code.extend([0x74, 0x03]);                                         //     jz out
    code.extend([0x48, 0x89, 0x07]);                                   //     mov [rdi], rax
    code.push(0xc3);                                                   // out: ret
    code
}

/// `mov rcx, seconds`: what the seconds grow by.
fn add_seconds(seconds: i64) -> Vec<u8> {
    [&[0x48, 0xb9][..], &seconds.to_le_bytes()].concat()
}

/// Adds to the fraction in rdx and carries into rcx.
#[rustfmt::skip]
fn add_fraction(amount: i32, unit: i32) -> Vec<u8> {
    assert!((0..unit).contains(&amount), "one carry is enough");
    let mut code = vec![0x48, 0x81, 0xc2];
    code.extend(amount.to_le_bytes());                                 //     add rdx, amount
    code.extend([0x48, 0x81, 0xfa]); code.extend(unit.to_le_bytes());  //     cmp rdx, unit
    code.extend([0x72, 0x0a]);                                         //     jb done
    code.extend([0x48, 0x81, 0xea]); code.extend(unit.to_le_bytes());  //     sub rdx, unit
    code.extend([0x48, 0xff, 0xc1]);                                   //     inc rcx
    code                                                               // done:
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use libc::{clockid_t, time_t, timespec, timeval};

    /// The assembled code in executable memory, to be called.
    struct Loaded {
        base: usize,
        code: Code,
    }

    const SPACE: usize = 4096;

    impl Loaded {
        fn new(offset_ms: i64) -> Loaded {
            let code = assemble(Offset::of_ms(offset_ms));
            let rights = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            // SAFETY: a fresh mapping, large enough for the code.
            unsafe {
                let base = libc::mmap(std::ptr::null_mut(), SPACE, rights, flags, -1, 0);
                assert_ne!(base, libc::MAP_FAILED);
                std::ptr::copy_nonoverlapping(code.bytes.as_ptr(), base.cast(), code.bytes.len());
                Loaded { base: base as usize, code }
            }
        }
        fn clock_ns(&self, clock: clockid_t) -> Result<i128, i32> {
            let mut out = timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: the code follows this signature.
            let status = unsafe {
                let function: extern "C" fn(clockid_t, *mut timespec) -> i32 =
                    std::mem::transmute(self.base + self.code.clock_gettime);
                function(clock, &mut out)
            };
            assert!((0..1_000_000_000).contains(&out.tv_nsec), "{}", out.tv_nsec);
            if status == 0 { Ok(i128::from(out.tv_sec) * 1_000_000_000 + i128::from(out.tv_nsec)) } else { Err(status) }
        }
        fn gettimeofday_ns(&self) -> i128 {
            let mut out = timeval { tv_sec: 0, tv_usec: 0 };
            // SAFETY: the code follows this signature.
            let function: extern "C" fn(*mut timeval, usize) -> i32 =
                unsafe { std::mem::transmute(self.base + self.code.gettimeofday) };
            assert_eq!(function(&mut out, 0), 0);
            assert_eq!(function(std::ptr::null_mut(), 0), 0, "nothing asked, nothing answered");
            assert!((0..1_000_000).contains(&out.tv_usec), "{}", out.tv_usec);
            i128::from(out.tv_sec) * 1_000_000_000 + i128::from(out.tv_usec) * 1000
        }
        fn time_s(&self) -> i64 {
            let mut out: time_t = 0;
            // SAFETY: the code follows this signature.
            let function: extern "C" fn(*mut time_t) -> time_t =
                unsafe { std::mem::transmute(self.base + self.code.time) };
            let answer = function(&mut out);
            assert_eq!(answer, out);
            assert!((0..=1).contains(&(function(std::ptr::null_mut()) - answer)), "also without a place to put it");
            answer
        }
    }

    impl Drop for Loaded {
        fn drop(&mut self) {
            // SAFETY: our own mapping, and nobody runs in it any more.
            unsafe { libc::munmap(self.base as *mut _, SPACE) };
        }
    }

    fn true_ns(clock: clockid_t) -> i128 {
        let mut out = timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `out` is valid for the call.
        assert_eq!(unsafe { libc::clock_gettime(clock, &mut out) }, 0);
        i128::from(out.tv_sec) * 1_000_000_000 + i128::from(out.tv_nsec)
    }

    const OFFSETS_MS: [i64; 9] = [0, 1, -1, 999, -999, 1500, -1500, 3_600_000, -315_360_000_123];

    #[test]
    fn times_of_day_are_shifted() {
        for offset_ms in OFFSETS_MS {
            let loaded = Loaded::new(offset_ms);
            let offset_ns = i128::from(offset_ms) * 1_000_000;
            let clocks = [libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE, libc::CLOCK_TAI];
            // Many calls, so that carries of either kind happen.
            for _ in 0..2000 {
                for clock in clocks {
                    let (before, seen, after) = (true_ns(clock), loaded.clock_ns(clock).unwrap(), true_ns(clock));
                    assert!((before..=after).contains(&(seen - offset_ns)), "clock {clock}, {offset_ms} ms");
                }
                let (before, seen, after) = (true_ns(0), loaded.gettimeofday_ns(), true_ns(0));
                assert!((before - 1000..=after).contains(&(seen - offset_ns)), "gettimeofday, {offset_ms} ms");
                let coarse = libc::CLOCK_REALTIME_COARSE;
                let (before, seen, after) = (true_ns(coarse), loaded.time_s(), true_ns(coarse));
                let floor = |ns: i128| ns.div_euclid(1_000_000_000);
                let span = floor(before + offset_ns)..=floor(after + offset_ns);
                assert!(span.contains(&i128::from(seen)), "time, {offset_ms} ms");
            }
        }
    }

    #[test]
    fn other_clocks_are_left_alone() {
        let loaded = Loaded::new(3_600_000);
        for clock in [libc::CLOCK_MONOTONIC, libc::CLOCK_BOOTTIME, libc::CLOCK_PROCESS_CPUTIME_ID, -2] {
            let (before, seen, after) = (true_ns(clock), loaded.clock_ns(clock).unwrap(), true_ns(clock));
            assert!((before..=after).contains(&seen), "clock {clock}");
        }
        assert_eq!(loaded.clock_ns(99), Err(-libc::EINVAL), "errors come back as the kernel gives them");
    }

    #[test]
    fn offsets_are_split() {
        assert_eq!(Offset::of_ms(-1), Offset { seconds: -1, nanoseconds: 999_000_000 });
        assert_eq!(Offset::of_ms(-1000), Offset { seconds: -1, nanoseconds: 0 });
        assert_eq!(Offset::of_ms(2500), Offset { seconds: 2, nanoseconds: 500_000_000 });
        let lengths = OFFSETS_MS.map(|offset_ms| assemble(Offset::of_ms(offset_ms)).bytes.len());
        assert!(lengths.iter().all(|length| *length == lengths[0]));
    }

    #[test]
    fn jumps_go_both_ways() {
        assert_eq!(jump(0, 5), [0xe9, 0, 0, 0, 0]);
        assert_eq!(jump(16, 0), [0xe9, 0xeb, 0xff, 0xff, 0xff]);
    }
}
