//! The page. Everything that has a name is escaped by the template.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::time::Timestamp;

use super::chart::{self, DrawError, SIZES};
use super::palette::{self, Ink};
use super::series::{Chart, charts};
use super::story::{Story, Verdict};
use crate::words::{self, Tone};

const STYLE: &str = include_str!("style.css");

/// Nothing may be fetched, whatever a name in the report says.
const NOTHING_FROM_OUTSIDE: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The whole file.
pub(super) fn render(stories: &[Story]) -> Result<String, DrawError> {
    let alone = stories.len() == 1;
    let articles = stories.iter().enumerate().map(|(index, story)| article(index, story, alone));
    let articles = articles.collect::<Result<Vec<_>, _>>()?;
    let title = match stories {
        [only] => only.title.as_str(),
        [] | [_, ..] => "Rollouts",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(NOTHING_FROM_OUTSIDE);
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(palette::style())) (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        h1 { (title) @if let [only] = stories { " " (badge(only.verdict)) } }
                        p { "All times are UTC" (days(stories)) "." }
                        @if stories.len() > 1 {
                            nav { @for (index, story) in stories.iter().enumerate() {
                                a href={ "#rollout-" (index + 1) } { (story.title) }
                            } }
                        }
                    }
                    @for article in &articles { (article) }
                    footer { "Written by mpac-deploy " (env!("CARGO_PKG_VERSION")) ". This file needs no network." }
                }
            }
        }
    };
    Ok(page.into_string())
}

/// The day or days that the rollouts took.
fn days(stories: &[Story]) -> String {
    let day = |time: Timestamp| time.to_string().get(..10).unwrap_or_default().to_owned();
    let from = stories.iter().map(|story| story.from).min().map(day);
    let to = stories.iter().map(|story| story.to).max().map(day);
    match (from, to) {
        (Some(from), Some(to)) if from == to => format!(", {from}"),
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        (_, _) => String::new(),
    }
}

fn article(index: usize, story: &Story, alone: bool) -> Result<Markup, DrawError> {
    let several_ids = |id: &str| format!("{id}-{}", index + 1);
    let traffic = drawn(|size| chart::weights(story, size))?;
    let mut figures = Vec::new();
    for chart in charts(story) {
        figures.push(figure(&several_ids(chart.id), story, &chart)?);
    }
    Ok(html! {
        article id=(several_ids("rollout")) {
            @if !alone { h2 { (story.title) " " (badge(story.verdict)) } }
            p.lead { (prose(&story.lead)) }
            section { dl { @for (name, value) in &story.facts { div { dt { (name) } dd { (value) } } } } }
            section id=(several_ids("traffic")) {
                h3 { "Traffic" }
                ul.legend {
                    (key(palette::BLUE, "", "blue's share"))
                    (key(palette::GREEN, "", "green's share"))
                    (course(story))
                }
                (traffic)
            }
            @for figure in &figures { (figure) }
            section id=(several_ids("decisions")) { h3 { "Decisions" } (decisions(story)) }
            @if !story.skipped.is_empty() {
                section id=(several_ids("skipped")) {
                    h3 { "Not looked at" }
                    p.quiet { "The recording has no rows for these rules:" }
                    p { @for (index, id) in story.skipped.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (id) }
                    } }
                }
            }
            section id=(several_ids("policy")) { details {
                summary { "The policy `" (story.policy.name) "`" }
                pre { code { (story.policy.to_toml().unwrap_or_else(|error| error.to_string())) } }
            } }
        }
    })
}

/// A text with what stands between backticks as code.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, piece) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (piece) } } @else { (piece) }
        }
    }
}

fn badge(verdict: Verdict) -> Markup {
    let (class, text) = match verdict {
        Verdict::Completed => ("badge good", "completed"),
        Verdict::RolledBack => ("badge bad", "rolled back"),
        Verdict::InProgress => ("badge open", "in progress"),
        Verdict::Held => ("badge bad", "held"),
        Verdict::Abandoned => ("badge bad", "abandoned"),
    };
    html! { span class=(class) { (text) } }
}

/// A drawing in each size; the window decides which of them is seen.
fn drawn(draw: impl Fn(chart::Size) -> Result<String, DrawError>) -> Result<Markup, DrawError> {
    let mut all = String::new();
    for size in SIZES {
        let svg = draw(size)?;
        all.push_str(&html! { div class=(size.class) { (PreEscaped(svg)) } }.into_string());
    }
    Ok(PreEscaped(all))
}

fn figure(id: &str, story: &Story, chart: &Chart) -> Result<Markup, DrawError> {
    let drawing = drawn(|size| chart::lines(story, chart, size))?;
    Ok(html! {
        section id=(id) {
            h3 { (chart.title) }
            ul.legend {
                @if !chart.blue.is_empty() { (key(palette::BLUE, "", "blue")) }
                @if !chart.green.is_empty() { (key(palette::GREEN, "", "green")) }
                @for limit in &chart.limits { (key(palette::of_limit(limit.kind), "dashed", &limit.text)) }
            }
            (drawing)
        }
    })
}

fn key(ink: Ink, class: &str, text: &str) -> Markup {
    html! { li { i class=(class) style={ "color:" (ink.variable()) } {} (text) } }
}

/// The marks that the charts of this story have.
fn course(story: &Story) -> Markup {
    let has = |tone: Tone| story.decisions.iter().any(|decision| words::tone(decision.kind) == tone);
    html! {
        @if has(Tone::Notice) { (key(palette::ALERT, "dot", "alert")) }
        @if has(Tone::Bad) { (key(palette::TRIGGER, "", "rollback")) }
    }
}

fn decisions(story: &Story) -> Markup {
    if story.decisions.is_empty() {
        return html! { p.quiet { "None yet." } };
    }
    html! {
        div.table { table {
            thead { tr { th { "Time" } th { "Stage" } th { "Decision" } th { "Rule" } th { "Why" } } }
            tbody { @for decision in &story.decisions { (row(decision)) } }
        } }
    }
}

fn row(decision: &Decision) -> Markup {
    let at = decision.at;
    let reason = words::without_days(&decision.reason);
    let (first, rest) = words::parts(&reason);
    let tone = match words::tone(decision.kind) {
        Tone::Good => "kind tone-good",
        Tone::Notice => "kind tone-notice",
        Tone::Bad => "kind tone-bad",
        Tone::Plain => "kind tone-plain",
    };
    html! {
        tr {
            td.time { time datetime=(at) title=(at) { (words::clock(at)) } }
            td.stage { (decision.stage.as_deref().unwrap_or("")) }
            td.what { span class=(tone) { (words::kind(decision.kind)) } }
            td.rule { @if let Some(rule) = &decision.rule { code { (rule) } } }
            td.why {
                (prose(first))
                @if !rest.is_empty() { ul { @for part in rest { li { (prose(part)) } } } }
                @if !decision.counterfactual.is_empty() {
                    p.but { "What would have changed it: " (prose(&decision.counterfactual)) "." }
                }
            }
        }
    }
}
