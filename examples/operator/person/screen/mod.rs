//! `watch` on a whole terminal. It reads the journal and keys, and nothing waits for it: whoever leaves disturbs no rollout.

mod draw;

use std::io::IsTerminal as _;
use std::pin::pin;
use std::time::Duration;

use mpac_deploy_core::decision::Decision;
use mpac_deploy_core::driver::Recalled;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use super::standing::Standing;
use super::store::Store;
use super::watch::{follow, status};
use crate::reply::{Failure, Reply};

/// How long a key is waited for before the thread that reads them looks whether it is still wanted.
const KEYS_WAIT: Duration = Duration::from_millis(200);

/// Decisions that are kept; a screen holds fewer.
const DECISIONS: usize = 200;

/// The terminal, if standard output is one that can be drawn on. From here on it must be given back.
pub(super) fn open() -> Option<DefaultTerminal> {
    let can_draw = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    if !can_draw || !std::io::stdout().is_terminal() {
        return None;
    }
    let terminal = ratatui::try_init();
    if terminal.is_err() {
        // Whatever it has begun to change.
        ratatui::try_restore().unwrap_or_default();
    }
    terminal.ok()
}

/// Draws the rollout until it is over, or until the person leaves.
pub(super) async fn watch(
    mut terminal: DefaultTerminal,
    store: &Store,
    recalled: Recalled,
    told: Vec<Decision>,
) -> Result<Reply, Failure> {
    let shown = show(&mut terminal, store, recalled, told).await;
    ratatui::try_restore().unwrap_or_default();
    shown
}

async fn show(
    terminal: &mut DefaultTerminal,
    store: &Store,
    recalled: Recalled,
    mut told: Vec<Decision>,
) -> Result<Reply, Failure> {
    let (mut keys, mut left) = (keys(), pin!(asked_to_leave()));
    let mut standing = Standing::new(&recalled.rollout, told.last().cloned());
    let mut looking = pin!(follow(store, recalled));
    loop {
        terminal
            .draw(|frame| draw::draw(frame, &standing, &told))
            .map_err(|error| Failure::World(format!("the terminal cannot be drawn on: {error}")))?;
        tokio::select! {
            looked = &mut looking => {
                let (recalled, new) = looked?;
                told.extend(new);
                told.drain(..told.len().saturating_sub(DECISIONS));
                standing = Standing::new(&recalled.rollout, told.last().cloned());
                if recalled.rollout.outcome().is_some() {
                    return Ok(Reply { status: status(&recalled.rollout), text: standing.for_people() });
                }
                looking.set(follow(store, recalled));
            }
            Some(key) = keys.recv() => if key == Key::Leave { break },
            () = &mut left => break,
        }
    }
    let text = format!("{}Left; the rollout goes on.\n", standing.for_people());
    Ok(Reply { status: crate::reply::Status::Found, text })
}

/// What a person, or the terminal, wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Leave,
    Redraw,
}

/// Keys and changes of the terminal's size, read by a thread of their own: a journal that is slow must keep nobody from leaving.
fn keys() -> mpsc::Receiver<Key> {
    let (to, keys) = mpsc::channel(8);
    std::thread::spawn(move || {
        while !to.is_closed() {
            let key = match event::poll(KEYS_WAIT) {
                Ok(true) => event::read().ok().and_then(|event| key_of(&event)),
                Ok(false) => None,
                Err(_) => break,
            };
            if key.is_some_and(|key| to.blocking_send(key).is_err()) {
                break;
            }
        }
    });
    keys
}

fn key_of(event: &Event) -> Option<Key> {
    match event {
        Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) => {
            let interrupts = *code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL);
            let leaves = matches!(code, KeyCode::Char('q') | KeyCode::Esc);
            (interrupts || leaves).then_some(Key::Leave)
        }
        Event::Resize(..) => Some(Key::Redraw),
        Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) => None,
    }
}

/// A signal: the terminal is given back before the process ends.
async fn asked_to_leave() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut term), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        {
            tokio::select! {
                _ = term.recv() => {}
                _ = hangup.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
