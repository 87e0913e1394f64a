//! The page that the printer writes: lines of cells. Cells of neighbouring lines form columns, whose
//! widths are found when the page is rendered (elastic tabstops, the rules of Go's text/tabwriter).

/// Columns of an indentation are this wide when they are padded with tabs.
const TAB_WIDTH: usize = 8;

/// A piece of a line's text, up to the next tab.
struct Cell {
    start: usize,
    end: usize,
    /// In characters.
    width: usize,
    /// Ended by an indentation or comment tab, which keeps its column even when all of it is empty.
    hard: bool,
}

struct Line {
    /// Of its cells, exclusive; the last cell belongs to no column.
    cells_end: usize,
    /// No column goes on below this line.
    ends_section: bool,
}

#[derive(Default)]
pub struct Page {
    text: String,
    /// Where the text of the open cell begins.
    cell_start: usize,
    cells: Vec<Cell>,
    lines: Vec<Line>,
}

impl Page {
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.cells.is_empty() && self.lines.is_empty()
    }

    /// Adds to the open cell; a text with line ends in it counts as one line.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn end_cell(&mut self, hard: bool) {
        let (start, end) = (self.cell_start, self.text.len());
        self.cells.push(Cell {
            start,
            end,
            width: self.text[start..end].chars().count(),
            hard,
        });
        self.cell_start = end;
    }

    pub fn end_line(&mut self, ends_section: bool) {
        self.end_cell(false);
        self.lines.push(Line {
            cells_end: self.cells.len(),
            ends_section,
        });
    }

    /// The bytes of a page that is one line, a byte for each tab; `None` when it has more lines.
    pub fn one_line_len(&self) -> Option<usize> {
        self.lines
            .is_empty()
            .then(|| self.text.len() + self.cells.len())
    }

    /// The page as text, without blanks at the ends of lines.
    pub fn render(mut self) -> String {
        if self.text.len() > self.cell_start {
            self.end_line(true);
        }
        let mut renderer = Renderer {
            page: &self,
            out: String::with_capacity(self.text.len() * 2),
            widths: Vec::new(),
        };
        let mut start = 0;
        for (at, line) in self.lines.iter().enumerate() {
            if line.ends_section || at + 1 == self.lines.len() {
                renderer.columns(start, at + 1);
                start = at + 1;
            }
        }
        renderer.out
    }

    fn line(&self, at: usize) -> &[Cell] {
        let start = match at {
            0 => 0,
            _ => self.lines[at - 1].cells_end,
        };
        &self.cells[start..self.lines[at].cells_end]
    }
}

struct Renderer<'a> {
    page: &'a Page,
    out: String,
    /// Of the columns to the left of the one that is looked at.
    widths: Vec<usize>,
}

impl Renderer<'_> {
    /// Renders lines, whose columns up to `widths` are known: finds the blocks of lines that share
    /// the next one.
    fn columns(&mut self, mut start: usize, end: usize) {
        let column = self.widths.len();
        let has_column = |cells: &[Cell]| column + 1 < cells.len();
        let mut at = start;
        while at < end {
            if !has_column(self.page.line(at)) {
                at += 1;
                continue;
            }
            self.lines(start, at);
            start = at;
            let mut width = 0;
            let mut discardable = true;
            while at < end && has_column(self.page.line(at)) {
                let cell = &self.page.line(at)[column];
                width = width.max(cell.width + 1);
                discardable &= cell.width == 0 && !cell.hard;
                at += 1;
            }
            self.widths.push(if discardable { 0 } else { width });
            self.columns(start, at);
            self.widths.pop();
            start = at;
        }
        self.lines(start, end);
    }

    fn lines(&mut self, start: usize, end: usize) {
        for at in start..end {
            let line_start = self.out.len();
            let mut leading = true;
            for (column, cell) in self.page.line(at).iter().enumerate() {
                self.out.push_str(&self.page.text[cell.start..cell.end]);
                leading &= cell.start == cell.end;
                let Some(&width) = self.widths.get(column) else {
                    continue;
                };
                if leading {
                    for _ in 0..width.div_ceil(TAB_WIDTH) {
                        self.out.push('\t');
                    }
                } else {
                    let blanks = width.saturating_sub(cell.width);
                    self.out.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            let line = &self.out[line_start..];
            let trimmed = line.trim_end_matches([' ', '\t']).len();
            self.out.truncate(line_start + trimmed);
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(lines: &[&[&str]]) -> String {
        let mut page = Page::default();
        for cells in lines {
            for (at, cell) in cells.iter().enumerate() {
                page.push(cell);
                if at + 1 < cells.len() {
                    page.end_cell(false);
                }
            }
            page.end_line(false);
        }
        page.render()
    }

    #[test]
    fn a_column_ends_where_a_line_lacks_it() {
        let got = render(&[&["a", "b"], &["long", "c"], &["x"], &["y", "z"]]);
        assert_eq!(got, "a    b\nlong c\nx\ny z\n");
    }

    #[test]
    fn columns_nest_and_empty_ones_vanish() {
        let got = render(&[&["a", "", "// 1"], &["bb", "", "// 2"], &["c", "d", "// 3"]]);
        assert_eq!(got, "a    // 1\nbb   // 2\nc  d // 3\n");
        assert_eq!(render(&[&["a", "", "x"], &["b", "", "y"]]), "a x\nb y\n");
    }
}
