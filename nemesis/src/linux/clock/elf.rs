//! As much of the ELF format as it takes to find functions in a vDSO. Nothing in the image is believed: whatever does not
//! fit gives none.

use std::ops::Range;

const SECTION_DYNAMIC_SYMBOLS: u32 = 11;
const SECTION_WITHOUT_BYTES: u32 = 8;
const SECTION_LENGTH: usize = 64;
const SYMBOL_LENGTH: usize = 24;

/// The section table of an image.
pub(super) struct Sections<'a> {
    image: &'a [u8],
    table: usize,
    count: usize,
}

/// One section: the fields that we need.
struct Section {
    kind: u32,
    offset: usize,
    length: usize,
    link: usize,
}

impl<'a> Sections<'a> {
    /// Finds the table.
    pub fn of(image: &'a [u8]) -> Option<Sections<'a>> {
        let (table, count) = (number::<8>(image, 0x28)?, number::<2>(image, 0x3c)?);
        Some(Sections { image, table: usize::try_from(table).ok()?, count: usize::try_from(count).ok()? })
    }

    fn get(&self, index: usize) -> Option<Section> {
        let at = self.table.checked_add(index.checked_mul(SECTION_LENGTH)?)?;
        let field = |offset| usize::try_from(number::<8>(self.image, at.checked_add(offset)?)?).ok();
        let kind = u32::try_from(number::<4>(self.image, at.checked_add(4)?)?).ok()?;
        let link = usize::try_from(number::<4>(self.image, at.checked_add(40)?)?).ok()?;
        Some(Section { kind, offset: field(24)?, length: field(32)?, link })
    }

    fn all(&self) -> impl Iterator<Item = Option<Section>> + '_ {
        (0..self.count).map(|index| self.get(index))
    }

    /// Where the last used byte is passed.
    pub fn end(&self) -> Option<usize> {
        let table_end = self.table.checked_add(self.count.checked_mul(SECTION_LENGTH)?)?;
        self.all().try_fold(table_end, |end, section| {
            let section = section?;
            let used = if section.kind == SECTION_WITHOUT_BYTES { 0 } else { section.length };
            Some(end.max(section.offset.checked_add(used)?))
        })
    }

    /// Finds a function by its name.
    pub fn function(&self, name: &str) -> Option<Range<usize>> {
        let symbols = self.all().flatten().find(|section| section.kind == SECTION_DYNAMIC_SYMBOLS)?;
        let names = self.get(symbols.link)?;
        let table = self.image.get(symbols.offset..symbols.offset.checked_add(symbols.length)?)?;
        table.chunks_exact(SYMBOL_LENGTH).find_map(|symbol| {
            let at = names.offset.checked_add(usize::try_from(number::<4>(symbol, 0)?).ok()?)?;
            let end = at.checked_add(name.len())?;
            let matches = self.image.get(at..end)? == name.as_bytes() && self.image.get(end) == Some(&0);
            let start = usize::try_from(number::<8>(symbol, 8)?).ok()?;
            let length = usize::try_from(number::<8>(symbol, 16)?).ok()?;
            matches.then_some(start..start.checked_add(length)?)
        })
    }
}

/// A little-endian number of `N` bytes.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(bytes.get(at..at.checked_add(N)?)?);
    Some(u64::from_le_bytes(wide))
}
