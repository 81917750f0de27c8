//! Which statements a phase admits, and which steps follow one another.

use alloc::format;
use alloc::string::String;

use super::{Class, Migrations, Phase, Step};
use crate::policy::PolicyError;

impl Migrations {
    /// Holds every statement to its phase, and every step to the one before it.
    ///
    /// # Errors
    /// [`PolicyError`] that names the first statement in the wrong phase, or the first step out of its chain.
    pub fn check(&self) -> Result<(), PolicyError> {
        for phase in [Phase::Expand, Phase::Contract] {
            for (index, step) in self.steps(phase).iter().enumerate() {
                let path = format!("release.migrations.{phase}[{index}]");
                check_statements(&path, phase, step)?;
                self.check_chain(&path, phase, index, step)?;
            }
        }
        Ok(())
    }

    /// A service's step begins where the one before it ended: whoever undoes it, or applies what contracts, must know the way.
    fn check_chain(&self, path: &str, phase: Phase, index: usize, step: &Step) -> Result<(), PolicyError> {
        if step.from == step.to {
            return refuse(
                path,
                format!("{}'s schema stays at {}: leave the step out", step.service, step.to),
            );
        }
        if [&step.from, &step.to].iter().any(|version| version.as_str().trim().is_empty()) {
            return refuse(
                path,
                format!("{}'s step needs a version to begin and one to end with", step.service),
            );
        }
        let before = match phase {
            Phase::Expand => self.expand.iter().take(index).next_back_of(step),
            Phase::Contract => self.expand.iter().chain(self.contract.iter().take(index)).next_back_of(step),
        };
        match before {
            Some(before) if before.to != step.from => refuse(
                path,
                format!(
                    "{}'s schema is at {} after the step before this one, not at {}",
                    step.service, before.to, step.from
                ),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

/// The last of some steps that is of the same service as another.
trait LastOf<'a> {
    fn next_back_of(self, step: &Step) -> Option<&'a Step>;
}

impl<'a, I: Iterator<Item = &'a Step>> LastOf<'a> for I {
    fn next_back_of(self, step: &Step) -> Option<&'a Step> {
        self.filter(|before| before.service == step.service).last()
    }
}

fn check_statements(path: &str, phase: Phase, step: &Step) -> Result<(), PolicyError> {
    for (number, statement) in step.statements.iter().enumerate() {
        let advice = match (phase, statement.class) {
            (_, Class::Breaking) => "code that runs breaks: write it in the two phases of the strategy",
            (Phase::Expand, Class::Contract) => {
                "code of blue breaks: move it to the contract phase, which runs 24 h after the cutover"
            }
            (Phase::Expand, Class::Neutral | Class::Expand)
            | (Phase::Contract, Class::Neutral | Class::Expand | Class::Contract) => continue,
        };
        return refuse(
            &format!("{path}.statements[{number}]"),
            format!(
                "`{}` ({}) is {} and must not run in the {phase} phase: {advice}",
                statement.text, statement.place, statement.class
            ),
        );
    }
    Ok(())
}

fn refuse(path: &str, problem: String) -> Result<(), PolicyError> {
    Err(PolicyError { path: path.into(), problem })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::Statement;
    use super::*;

    fn step(service: &str, from: &str, to: &str, classes: &[Class]) -> Step {
        let statement = |class: &Class| Statement {
            place: "db/1.sql:4".into(),
            text: format!("a {class} statement"),
            class: *class,
        };
        Step {
            service: service.into(),
            from: from.into(),
            to: to.into(),
            statements: classes.iter().map(statement).collect(),
            adds: Vec::new(),
        }
    }

    fn problem(expand: Vec<Step>, contract: Vec<Step>) -> Option<String> {
        Migrations { expand, contract }.check().err().map(|error| format!("{error}"))
    }

    #[test]
    fn a_statement_in_the_wrong_phase_is_refused_and_named() {
        use Class::{Breaking, Contract, Expand, Neutral};
        let cases: [(&[Class], &[Class], Option<&str>); 6] = [
            (&[Expand, Neutral], &[Contract, Neutral, Expand], None),
            (&[Expand, Contract], &[], Some("expand[0].statements[1]")),
            (&[Contract], &[], Some("a contract statement")),
            (&[Breaking], &[], Some("code that runs breaks")),
            (&[], &[Breaking], Some("contract[0].statements[0]")),
            (&[], &[Contract, Breaking], Some("db/1.sql:4")),
        ];
        for (expand, contract, expected) in cases {
            let found = problem(vec![step("a", "1", "2", expand)], vec![step("a", "2", "3", contract)]);
            match expected {
                None => assert_eq!(found, None),
                Some(words) => {
                    assert!(found.as_deref().is_some_and(|text| text.contains(words)), "{found:?}")
                }
            }
        }
    }

    #[test]
    fn the_steps_of_a_service_make_a_chain() {
        let expand = || vec![step("a", "1", "2", &[]), step("b", "7", "8", &[])];
        assert_eq!(problem(expand(), vec![step("b", "8", "9", &[]), step("a", "2", "3", &[])]), None);
        let gap = problem(expand(), vec![step("a", "3", "4", &[])]);
        assert!(gap.as_deref().is_some_and(|text| text.contains("at 2 after the step before")), "{gap:?}");
        assert!(problem(vec![step("a", "1", "1", &[])], Vec::new()).is_some());
        assert!(problem(vec![step("a", " ", "1", &[])], Vec::new()).is_some());
    }
}
