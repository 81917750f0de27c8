//! What the tags of a service say of the effect that changed it last.
//!
//! ECS has no conditional write, so the tags are no lock: they are what a later process reads before it acts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_sdk_ecs::types::Tag;
use mpac_deploy_core::ids::{EffectId, FencingToken};
use sha2::{Digest, Sha256};

/// What every tag of ours begins with.
const PREFIX: &str = "mpac-deploy:";
const ROLLOUT: &str = "mpac-deploy:rollout";
const EFFECT: &str = "mpac-deploy:effect";
const FENCE: &str = "mpac-deploy:fence";
const ACTION: &str = "mpac-deploy:action";
const COUNT: &str = "mpac-deploy:count";
const SCALING: &str = "mpac-deploy:scaling";

/// The longest value of a tag is 256 characters.
const LONGEST: usize = 200;
/// ECS takes client tokens of up to 36 characters.
const TOKEN_BYTES: usize = 16;

/// What was done to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Provision,
    Retire,
    Revive,
    Stop,
}

impl Action {
    const ALL: [Self; 4] = [Self::Provision, Self::Retire, Self::Revive, Self::Stop];

    const fn name(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Retire => "retire",
            Self::Revive => "revive",
            Self::Stop => "stop",
        }
    }
}

/// The latest effect on a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// The rollout, as it can be written in a tag.
    pub(super) rollout: String,
    pub(super) effect: u64,
    pub(super) fence: FencingToken,
    pub(super) action: Action,
    /// How many tasks were wanted: by the effect, or before it stopped them.
    pub(super) count: i32,
    /// The state of Application Auto Scaling before the effect suspended it.
    pub(super) scaling: Option<Suspended>,
}

/// What of Application Auto Scaling is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Suspended {
    pub(super) scaling_in: bool,
    pub(super) scaling_out: bool,
    pub(super) scheduled: bool,
}

impl Suspended {
    fn written(self) -> String {
        [self.scaling_in, self.scaling_out, self.scheduled]
            .map(|flag| if flag { '1' } else { '0' })
            .iter()
            .collect()
    }

    fn read(text: &str) -> Option<Self> {
        let flags: Vec<bool> = text.chars().map(|flag| flag == '1').collect();
        let [scaling_in, scaling_out, scheduled] = flags.as_slice() else { return None };
        Some(Self { scaling_in: *scaling_in, scaling_out: *scaling_out, scheduled: *scheduled })
    }
}

impl Marker {
    pub(super) fn new(id: &EffectId, fence: FencingToken, action: Action, count: i32) -> Self {
        Self { rollout: written(id.rollout.as_str()), effect: id.number, fence, action, count, scaling: None }
    }

    /// The marker in a service's tags. Damaged tags are none: they must not stop a rollback.
    pub(super) fn of(tags: &[Tag]) -> Option<Self> {
        let tags: BTreeMap<&str, &str> =
            tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()?))).collect();
        let action = tags.get(ACTION)?;
        Some(Self {
            rollout: (*tags.get(ROLLOUT)?).to_owned(),
            effect: tags.get(EFFECT)?.parse().ok()?,
            fence: FencingToken(tags.get(FENCE)?.parse().ok()?),
            action: Action::ALL.into_iter().find(|known| known.name() == *action)?,
            count: tags.get(COUNT)?.parse().ok()?,
            scaling: tags.get(SCALING).and_then(|text| Suspended::read(text)),
        })
    }

    /// Every tag of it; one that does not apply is written empty, since adding tags takes none away.
    pub(super) fn pairs(&self) -> [(&'static str, String); 6] {
        [
            (ROLLOUT, self.rollout.clone()),
            (EFFECT, self.effect.to_string()),
            (FENCE, self.fence.to_string()),
            (ACTION, self.action.name().to_owned()),
            (COUNT, self.count.to_string()),
            (SCALING, self.scaling.map(Suspended::written).unwrap_or_default()),
        ]
    }

    /// Whether a service that has this marker was last changed by the effect of `other`, or by a later one of the same holder: the
    /// effects of a rollout are numbered in their order. A later holder does what its journal says, whatever was done before.
    pub(super) fn is_of_or_after(&self, other: &Self) -> bool {
        self.fence == other.fence && self.rollout == other.rollout && self.effect >= other.effect
    }

    pub(super) fn is_after(&self, other: &Self) -> bool {
        self.fence > other.fence || (self.is_of_or_after(other) && self.effect > other.effect)
    }
}

/// The tags of a task definition that an effect registers.
pub(super) fn of_definition(id: &EffectId) -> [(&'static str, String); 2] {
    [(ROLLOUT, written(id.rollout.as_str())), (EFFECT, id.number.to_string())]
}

/// Whether a tag is copied from one resource to another: AWS's own cannot be, and ours speak of the one that has them.
pub(super) fn is_copied(key: &str) -> bool {
    !key.starts_with("aws:") && !key.starts_with(PREFIX)
}

/// The token under which a service is created by an effect, whichever process does it.
pub(super) fn token(id: &EffectId, service: &str) -> String {
    let digest = Sha256::digest(format!("{id} {service}"));
    digest.iter().take(TOKEN_BYTES).fold(String::new(), |mut token, byte| {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// A text as a tag can hold it. Different texts stay different.
fn written(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || " +-._:/@".contains(letter);
    if text.chars().count() <= LONGEST && text.chars().all(fits) {
        return text.to_owned();
    }
    let digest = Sha256::digest(text);
    let short: String =
        text.chars().map(|letter| if fits(letter) { letter } else { '_' }).take(LONGEST).collect();
    let digest: String = digest.iter().take(TOKEN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{short}={digest}")
}

#[cfg(test)]
mod tests {
    use mpac_deploy_core::ids::RolloutId;

    use super::*;

    fn marker(fence: u64, number: u64) -> Marker {
        let id = EffectId { rollout: RolloutId::from("r"), number };
        Marker::new(&id, FencingToken(fence), Action::Retire, 4)
    }

    fn tags(marker: &Marker) -> Vec<Tag> {
        marker.pairs().map(|(key, value)| Tag::builder().key(key).value(value).build()).into()
    }

    #[test]
    fn a_marker_is_read_as_it_was_written() {
        let mut marker = marker(7, 12);
        assert_eq!(Marker::of(&tags(&marker)), Some(marker.clone()));
        marker.scaling = Some(Suspended { scaling_in: false, scaling_out: true, scheduled: false });
        assert_eq!(Marker::of(&tags(&marker)), Some(marker.clone()));
        let mut damaged = tags(&marker);
        damaged.retain(|tag| tag.key() != Some(COUNT));
        assert_eq!(Marker::of(&damaged), None);
    }

    #[test]
    fn an_earlier_effect_of_the_same_holder_is_over_and_a_later_holder_decides_anew() {
        assert!(marker(1, 3).is_of_or_after(&marker(1, 2)) && marker(1, 3).is_after(&marker(1, 2)));
        assert!(marker(1, 2).is_of_or_after(&marker(1, 2)) && !marker(1, 2).is_after(&marker(1, 2)));
        assert!(!marker(1, 3).is_of_or_after(&marker(2, 2)) && !marker(1, 3).is_after(&marker(2, 2)));
        assert!(marker(3, 1).is_after(&marker(2, 2)));
    }

    #[test]
    fn any_rollout_can_be_written_and_stays_itself() {
        assert_eq!(written("svc-portal-v2.1.0-20260128T090000Z"), "svc-portal-v2.1.0-20260128T090000Z");
        let odd = [
            written("a#1"),
            written("a_1"),
            written("a&1"),
            written(&"x".repeat(300)),
            written(&"x".repeat(301)),
        ];
        assert!(odd.iter().all(|text| text.len() <= 256 && !text.contains(['#', '&'])));
        assert_eq!(odd.iter().collect::<std::collections::BTreeSet<_>>().len(), odd.len());
    }

    #[test]
    fn a_token_fits_and_is_of_one_effect_and_service() {
        let id = |number| EffectId { rollout: RolloutId::from("r"), number };
        assert_eq!(token(&id(1), "a").len(), 32);
        assert_ne!(token(&id(1), "a"), token(&id(1), "b"));
        assert_ne!(token(&id(1), "a"), token(&id(2), "a"));
    }
}
