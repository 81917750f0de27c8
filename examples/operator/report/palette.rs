//! The colours: each for a light page and for a dark one.
//!
//! A chart is drawn in the light colours. A style rule for each of them swaps it where the reader prefers dark, since a
//! style rule goes before the attributes of an SVG.

use std::fmt::Write as _;

use plotters::style::RGBColor;

use crate::limits::LimitKind;

/// A colour of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ink {
    name: &'static str,
    light: u32,
    dark: u32,
}

const fn ink(name: &'static str, light: u32, dark: u32) -> Ink {
    Ink { name, light, dark }
}

pub(super) const TEXT: Ink = ink("text", 0x1F_2430, 0xE6_E8EE);
pub(super) const MUTED: Ink = ink("muted", 0x5F_6876, 0xA0_A8B6);
pub(super) const LINE: Ink = ink("line", 0xE1_E4E9, 0x2F_3642);
pub(super) const PAGE: Ink = ink("page", 0xF6_F7F9, 0x12_151A);
pub(super) const CARD: Ink = ink("card", 0xFF_FFFF, 0x1A_1E25);
pub(super) const BAND: Ink = ink("band", 0xF0_F2F5, 0x22_2730);
pub(super) const BLUE: Ink = ink("blue", 0x2F_6FDE, 0x74_A7FF);
pub(super) const GREEN: Ink = ink("green", 0x15_8A4A, 0x4F_C88C);
pub(super) const GATE: Ink = ink("gate", 0x7A_5CC4, 0xB7_A1F2);
pub(super) const ALERT: Ink = ink("alert", 0xA8_6A0B, 0xE6_B455);
pub(super) const TRIGGER: Ink = ink("trigger", 0xC9_3434, 0xFF_8080);

const ALL: [Ink; 11] = [TEXT, MUTED, LINE, PAGE, CARD, BAND, BLUE, GREEN, GATE, ALERT, TRIGGER];

impl Ink {
    /// The colour in a chart.
    pub(super) const fn rgb(self) -> RGBColor {
        let [_, red, green, blue] = self.light.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// The variable of the style sheet.
    pub(super) fn variable(self) -> String {
        format!("var(--{})", self.name)
    }
}

/// The colour of a limit.
pub(super) const fn of_limit(kind: LimitKind) -> Ink {
    match kind {
        LimitKind::Gate => GATE,
        LimitKind::Alert => ALERT,
        LimitKind::Trigger => TRIGGER,
    }
}

/// The part of the style sheet that knows colours.
pub(super) fn style() -> String {
    let variables = |pick: fn(&Ink) -> u32| {
        ALL.iter().fold(String::new(), |mut text, ink| {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "--{}:#{:06X};", ink.name, pick(ink));
            text
        })
    };
    let mut style = format!(
        ":root{{{}}}\n@media (prefers-color-scheme: dark){{:root{{{}}}}}\n",
        variables(|ink| ink.light),
        variables(|ink| ink.dark)
    );
    for ink in ALL {
        for attribute in ["fill", "stroke"] {
            let _ =
                writeln!(style, "svg [{attribute}=\"#{:06X}\"]{{{attribute}:{}}}", ink.light, ink.variable());
        }
    }
    style
}
