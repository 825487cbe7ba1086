//! The vDSO of one process: where it is, its functions, and what to write where.

use super::code::{JUMP_LENGTH, Offset, assemble, jump};
use super::elf::{Sections, number};
use super::{LabError, Patch, open_memory, refuse};
use std::ops::Range;
use std::os::unix::fs::FileExt;

const SIZE_MAX: u64 = 1 << 20;
const ELF_64_LITTLE: [u8; 6] = *b"\x7fELF\x02\x01";
const MACHINE_X86_64: u16 = 62;

/// Stands before our code, so that we know it again.
const MARKER: &[u8] = b"upheaval";
const SLOT_ALIGNMENT: usize = 16;

/// What to write while the process stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub patches: Vec<Patch>,
    /// Addresses at which no thread may stand meanwhile.
    pub avoid: Vec<Range<u64>>,
}

/// The vDSO as it was when first seen.
#[derive(Clone, Debug)]
pub(super) struct Vdso {
    /// Addresses in the process.
    pub range: Range<u64>,
    layout: Layout,
    image: Vec<u8>,
}

/// Where things are, counted from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Layout {
    clock_gettime: Range<usize>,
    gettimeofday: Range<usize>,
    time: Range<usize>,
    /// Nothing is used from here to the end of the mapping.
    end: usize,
}

impl Vdso {
    /// Reads the vDSO of a process.
    pub fn read(pid: i32) -> Result<Vdso, LabError> {
        let path = format!("/proc/{pid}/maps");
        let maps = std::fs::read_to_string(&path).map_err(LabError::io(format!("reading {path}")))?;
        let range = find(&maps).ok_or_else(|| refuse(pid, "it has no vDSO"))?;
        let mut image = vec![0; (range.end - range.start) as usize];
        let read = open_memory(pid, false)?.read_exact_at(&mut image, range.start);
        read.map_err(LabError::io(format!("reading the vDSO of process {pid}")))?;
        let layout = Layout::of(&image).map_err(|why| refuse(pid, why))?;
        let vdso = Vdso { range, layout, image };
        if vdso.is_shifted() {
            return Err(refuse(pid, "it is skewed already"));
        }
        Ok(vdso)
    }

    /// How to shift the clock. `turn` counts the shifts of this process: each uses another slot than the one before, so
    /// that threads inside the old code can leave it.
    pub fn shift(&self, offset: Offset, turn: usize) -> Result<Edit, String> {
        let code = assemble(offset);
        let block = [MARKER, &code.bytes].concat();
        let slots = self.slots(block.len());
        let room = || format!("its vDSO has no room for {} bytes of code", block.len());
        let slot = match slots.len() {
            0 => self.slot_over_function(block.len()).ok_or_else(room)?,
            count => slots[turn % count],
        };
        let base = slot + MARKER.len();
        let targets = [code.clock_gettime, code.gettimeofday, code.time].map(|target| base + target);
        let jumps = self.entries().into_iter().zip(targets);
        let mut patches: Vec<Patch> = jumps.map(|(at, target)| Patch { at, bytes: jump(at, target) }).collect();
        patches.push(Patch { at: slot, bytes: block });
        Ok(self.edit(patches, slots.is_empty()))
    }

    /// How to undo all shifts. Our code behind the functions stays: threads may be in it, and nobody else comes there.
    pub fn undo(&self) -> Edit {
        let original = |range: Range<usize>| Patch { at: range.start, bytes: self.image[range].to_vec() };
        let mut patches: Vec<Patch> = self.entries().map(|at| original(at..at + JUMP_LENGTH)).into();
        let over_function = self.slots(MARKER.len() + assemble(Offset::of_ms(0)).bytes.len()).is_empty();
        if over_function {
            patches.push(original(self.layout.clock_gettime.clone()));
        }
        self.edit(patches, over_function)
    }

    /// Threads must not be in the middle of what is written; at the beginning of it is fine. When a whole function goes,
    /// they must not be anywhere: it calls others, to return into it.
    fn edit(&self, patches: Vec<Patch>, over_function: bool) -> Edit {
        let absolute = |at: usize| self.range.start + at as u64;
        let middle = |patch: &Patch| absolute(patch.at + 1)..absolute(patch.at + patch.bytes.len());
        let avoid = if over_function { vec![self.range.clone()] } else { patches.iter().map(middle).collect() };
        Edit { patches, avoid }
    }

    fn entries(&self) -> [usize; 3] {
        let Layout { clock_gettime, gettimeofday, time, .. } = &self.layout;
        [clock_gettime.start, gettimeofday.start, time.start]
    }

    /// Places for our code behind everything else, where the last page is empty or holds code of ours from before.
    fn slots(&self, length: usize) -> Vec<usize> {
        let first = self.layout.end.next_multiple_of(SLOT_ALIGNMENT);
        let starts = [first, (first + length).next_multiple_of(SLOT_ALIGNMENT)];
        let free = |start: &usize| {
            let bytes = self.image.get(*start..*start + length);
            bytes.is_some_and(|bytes| bytes.starts_with(MARKER) || bytes.iter().all(|byte| *byte == 0))
        };
        starts.into_iter().filter(free).collect()
    }

    /// Without room there: over `clock_gettime` itself, behind its jump.
    fn slot_over_function(&self, length: usize) -> Option<usize> {
        let Range { start, end } = self.layout.clock_gettime;
        (start + JUMP_LENGTH + length <= end).then_some(start + JUMP_LENGTH)
    }

    /// Whether `clock_gettime` jumps to code of ours.
    fn is_shifted(&self) -> bool {
        let at = self.layout.clock_gettime.start;
        let Some(&[0xe9, a, b, c, d]) = self.image.get(at..at + JUMP_LENGTH) else { return false };
        let target = (at + JUMP_LENGTH) as i64 + i64::from(i32::from_le_bytes([a, b, c, d]));
        let marker_at = usize::try_from(target - MARKER.len() as i64);
        marker_at.is_ok_and(|at| self.image.get(at..at + MARKER.len()) == Some(MARKER))
    }
}

/// Finds the mapping in the text of `/proc/PID/maps`.
fn find(maps: &str) -> Option<Range<u64>> {
    let line = maps.lines().find(|line| line.ends_with("[vdso]"))?;
    let (start, end) = line.split_ascii_whitespace().next()?.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    let range = address(start)?..address(end)?;
    (range.start < range.end && range.end - range.start <= SIZE_MAX).then_some(range)
}

impl Layout {
    /// Reads it from the symbols of the image.
    fn of(image: &[u8]) -> Result<Layout, &'static str> {
        if !image.starts_with(&ELF_64_LITTLE) || number::<2>(image, 0x12) != Some(MACHINE_X86_64.into()) {
            return Err("it is not a 64-bit x86 program");
        }
        let odd = "its vDSO has a form that is not understood";
        let sections = Sections::of(image).ok_or(odd)?;
        let clock_gettime = sections.function("__vdso_clock_gettime").ok_or(odd)?;
        let gettimeofday = sections.function("__vdso_gettimeofday").ok_or(odd)?;
        let time = sections.function("__vdso_time").ok_or(odd)?;
        for function in [&clock_gettime, &gettimeofday, &time] {
            if function.len() < JUMP_LENGTH || function.end > image.len() {
                return Err(odd);
            }
        }
        Ok(Layout { clock_gettime, gettimeofday, time, end: sections.end().ok_or(odd)? })
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn own() -> Vdso {
        Vdso::read(std::process::id() as i32).unwrap()
    }

    #[test]
    fn own_vdso_is_understood() {
        let vdso = own();
        let Layout { clock_gettime, gettimeofday, time, end } = vdso.layout.clone();
        assert!([&clock_gettime, &gettimeofday, &time].iter().all(|function| function.end <= end));
        assert!(clock_gettime.end <= gettimeofday.start || gettimeofday.end <= clock_gettime.start);
        assert!(!vdso.is_shifted());
    }

    fn write(image: &mut [u8], edit: &Edit) {
        edit.patches
            .iter()
            .for_each(|patch| image[patch.at..patch.at + patch.bytes.len()].copy_from_slice(&patch.bytes));
    }

    fn shift(vdso: &Vdso, offset_ms: i64, turn: usize) -> Edit {
        vdso.shift(Offset::of_ms(offset_ms), turn).unwrap()
    }

    #[test]
    fn undoing_brings_every_function_back() {
        let vdso = own();
        let mut image = vdso.image.clone();
        write(&mut image, &shift(&vdso, 1234, 0));
        write(&mut image, &shift(&vdso, -1234, 1));
        assert!(Vdso { image: image.clone(), ..vdso.clone() }.is_shifted());
        write(&mut image, &vdso.undo());
        let end = vdso.layout.end;
        assert_eq!(image[..end], vdso.image[..end]);
        let again = Vdso { image, ..vdso };
        assert!(!again.is_shifted());
        assert!(again.layout.end <= shift(&again, 5, 0).patches[3].at, "its old slots can be used again");
    }

    #[test]
    fn threads_may_finish_what_they_began() {
        let vdso = own();
        let (first, second) = (shift(&vdso, 1, 0), shift(&vdso, 2, 1));
        let (old, new) = (&first.patches[3], &second.patches[3]);
        assert!(old.at + old.bytes.len() <= new.at, "a change leaves the code of the last shift alone");
        assert_eq!(shift(&vdso, 3, 2).patches[3].at, old.at);
        let inside =
            |edit: &Edit, at: usize| edit.avoid.iter().any(|range| range.contains(&(vdso.range.start + at as u64)));
        let entry = vdso.layout.clock_gettime.start;
        for edit in [&first, &second, &vdso.undo()] {
            assert!(
                !inside(edit, entry) && inside(edit, entry + 1) && inside(edit, entry + 4) && !inside(edit, entry + 5)
            );
        }
        assert!(inside(&first, old.at + 20) && !inside(&second, old.at + 20) && !inside(&vdso.undo(), old.at + 20));
    }

    #[test]
    fn without_room_at_the_end_it_goes_over_the_function() {
        let mut vdso = own();
        vdso.image.truncate(vdso.layout.end);
        let edit = shift(&vdso, 77, 0);
        assert_eq!(edit.avoid, std::slice::from_ref(&vdso.range), "threads must be outside of all of it");
        let mut image = vdso.image.clone();
        write(&mut image, &edit);
        assert!(Vdso { image: image.clone(), ..vdso.clone() }.is_shifted());
        write(&mut image, &vdso.undo());
        assert_eq!(image, vdso.image);
        vdso.layout.clock_gettime.end = vdso.layout.clock_gettime.start + 20;
        assert!(vdso.shift(Offset::of_ms(1), 0).unwrap_err().contains("no room"));
    }

    #[test]
    fn odd_images_are_refused() {
        let image = own().image;
        assert!(Layout::of(&image).is_ok());
        assert!(Layout::of(b"").is_err());
        assert!(Layout::of(&image[..0x200]).is_err(), "cut off");
        let mut small = image.clone();
        small[4] = 1;
        assert_eq!(Layout::of(&small), Err("it is not a 64-bit x86 program"));
        // Whatever the bytes, reading them must not panic.
        for at in 0..image.len().min(0x800) {
            let mut bent = image.clone();
            bent[at] ^= 0xff;
            let _ = Layout::of(&bent);
        }
    }

    #[test]
    fn maps_are_read() {
        let maps = "55d0-55d1 r--p 00000000 00:00 0 /bin/x\n7f00a000-7f00c000 r-xp 00000000 00:00 0   [vdso]\n";
        assert_eq!(find(maps), Some(0x7f00a000..0x7f00c000));
        assert_eq!(find("7f00c000-7f00a000 r-xp 0 0 0 [vdso]"), None);
        assert_eq!(find("7f00a000-7f00c000 r-xp 0 0 0 [vvar]"), None);
    }
}
