//! The little of Markdown that the checks of the book need: links, headings, and what is code.

/// A link or image, with the line it stands in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Counted from 1.
    pub(crate) line: usize,
    /// As written, without a title.
    pub(crate) target: String,
}

/// Every inline link, image and reference definition outside code.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        found.extend(inline(&prose).map(|target| Link { line, target }));
        if let Some(target) = definition(&prose) {
            found.push(Link { line, target });
        }
    }
    found
}

/// The anchors of the headings, as mdbook and GitHub make them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, line) in fenced_out(text) {
        let level = line.chars().take_while(|c| *c == '#').count();
        if let (1..=6, Some(title)) = (level, line.get(level..).and_then(|rest| rest.strip_prefix(' '))) {
            let slug = slug(title);
            let before = found.iter().filter(|seen| **seen == slug || is_repeat(seen, &slug)).count();
            found.push(if before == 0 { slug } else { format!("{slug}-{before}") });
        }
    }
    found
}

fn is_repeat(seen: &str, slug: &str) -> bool {
    let number = seen.strip_prefix(slug).and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn slug(title: &str) -> String {
    let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// Numbered lines outside fenced blocks, with code spans blanked.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    fenced_out(text).map(|(number, line)| (number, without_spans(line)))
}

fn fenced_out(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| start.starts_with(marker));
        match (fence, marker) {
            (None, Some(marker)) => fence = Some(marker),
            (Some(open), Some(marker)) if open == marker => fence = None,
            (None, None) => return Some((index + 1, line)),
            (Some(_), _) => {}
        }
        None
    })
}

/// The code spans outside fenced blocks, with the lines they stand in: what a single backtick opens and closes.
pub(crate) fn spans(text: &str) -> impl Iterator<Item = (usize, String)> {
    fenced_out(text).flat_map(|(number, line)| {
        let parts: Vec<&str> = line.split('`').collect();
        let closed = parts.len().saturating_sub(1);
        let inside = parts.into_iter().take(closed).skip(1).step_by(2);
        inside.map(|span| (number, span.to_owned())).collect::<Vec<_>>()
    })
}

/// The line with every code span that is closed in it left out.
fn without_spans(line: &str) -> String {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (before, ticked) = rest.split_at(at);
        let ticks = ticked.len() - ticked.trim_start_matches('`').len();
        let (fence, after) = ticked.split_at(ticks);
        kept.push_str(before);
        match after.split_once(fence) {
            Some((_, after)) => rest = after,
            None => {
                kept.push_str(fence);
                rest = after;
            }
        }
    }
    kept + rest
}

/// The targets of `[text](target "title")`.
fn inline(prose: &str) -> impl Iterator<Item = String> {
    prose.match_indices("](").filter_map(|(at, open)| {
        let rest = prose.get(at + open.len()..)?;
        let target = rest
            .strip_prefix('<')
            .map_or_else(|| balanced(rest), |angle| angle.split_once('>').map(|(t, _)| t))?;
        Some(target.split_whitespace().next().unwrap_or_default().to_owned())
    })
}

/// Up to the parenthesis that closes the link; those inside come in pairs.
fn balanced(rest: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return rest.get(..at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The target of `[label]: target`.
fn definition(prose: &str) -> Option<String> {
    let (label, target) = prose.trim_start().strip_prefix('[')?.split_once("]:")?;
    let plain = !label.contains(['[', ']']) && !label.starts_with('^');
    plain.then(|| target.split_whitespace().next().map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn links_images_titles_and_definitions_are_found() {
        let text = "A [b](c.md) and ![d](e.svg \"title\") and [f](<g h.md>).\n\n[i]: j.md\n[k](l(m).md)\n";
        assert_eq!(targets(text), ["c.md", "e.svg", "g", "j.md", "l(m).md"]);
        assert_eq!(links(text).last().map(|link| link.line), Some(4));
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(targets("`[a](b)` ``[c](`d`)`` [e](f)\n```\n[g](h)\n```\n~~~\n```\n[i](j)\n~~~\n"), ["f"]);
        assert_eq!(targets("a lone ` and [a](b)"), ["b"]);
    }

    #[test]
    fn a_span_is_what_backticks_enclose() {
        let found: Vec<_> = spans("`a` b `c`\n```\n`d`\n```\n`e` and a lone `f\n").collect();
        assert_eq!(found, [(1, "a".to_owned()), (1, "c".to_owned()), (5, "e".to_owned())]);
    }

    #[test]
    fn an_index_and_a_footnote_are_no_links() {
        assert_eq!(targets("x[1]: y\n[^1]: a note\n"), Vec::<String>::new());
    }

    #[test]
    fn anchors_are_those_of_the_rendered_page() {
        let text = "# The one picture\n```\n# no heading\n```\n## `a` & b_c\n### Same\n### Same\n#none\n";
        assert_eq!(anchors(text), ["the-one-picture", "a--b_c", "same", "same-1"]);
    }
}
