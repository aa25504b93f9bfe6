use proptest::prelude::*;

use super::*;

fn template(text: &str) -> Template {
    text.parse().unwrap()
}

fn role(name: &str) -> Check {
    Check::Role(template(name))
}

fn a_match(name: &str, text: &str) -> Check {
    Check::Match(name.into(), template(text))
}

#[test]
fn checks_are_read_as_oslo_policy_reads_them() {
    for (text, check) in [
        ("", Check::Always),
        ("  ", Check::Always),
        ("@", Check::Always),
        ("!", Check::Never),
        ("role:a", role("a")),
        ("role:a or role:b and role:c", {
            Check::Or(vec![role("a"), Check::And(vec![role("b"), role("c")])])
        }),
        ("(role:a or role:b) and not role:c", {
            let either = Check::Or(vec![role("a"), role("b")]);
            Check::And(vec![either, Check::Not(Box::new(role("c")))])
        }),
        ("NOT role:a AND role:b", Check::And(vec![Check::Not(Box::new(role("a"))), role("b")])),
        ("user:%(creator)s", a_match("user", "%(creator)s")),
        ("is_admin:True", a_match("is_admin", "True")),
        ("'Member':%(role.name)s", Check::Same("Member".into(), template("%(role.name)s"))),
        ("True:%(up)s", Check::Same("True".into(), template("%(up)s"))),
        ("(rule:x)", Check::Rule("x".into())),
    ] {
        assert_eq!(text.parse(), Ok(check), "{text}");
    }
}

#[test]
fn what_is_no_check_is_refused() {
    for (text, told) in [
        ("role", "kind:value"),
        ("role:a role:b", "one too many"),
        ("(role:a", "not closed"),
        ("role:a)", "one too many"),
        ("not", "too early"),
        ("role:a or", "too early"),
        (":x", "kind:value"),
        ("and role:a", "kind:value"),
        ("\"role:a\"", "kind:value"),
        ("project_id:%(project_id)d", "percent sign"),
        ("role:100%", "percent sign"),
        ("http://server/%(name)s", "another server"),
        ("remote:https://server", "another server"),
    ] {
        let refusal = text.parse::<Check>().unwrap_err().to_string();
        assert!(refusal.contains(told), "{text}: {refusal}");
    }
    assert!("(".repeat(100_000).parse::<Check>().is_err());
    assert!("not ".repeat(100_000).parse::<Check>().is_err());
}

#[test]
fn lists_of_lists_are_read() {
    let lists = |lists: &[&[&str]]| {
        let owned: Vec<Vec<String>> =
            lists.iter().map(|list| list.iter().map(ToString::to_string).collect()).collect();
        Check::from_lists(&owned).unwrap()
    };
    assert_eq!(lists(&[]), Check::Always);
    assert_eq!(lists(&[&[]]), Check::Never);
    assert_eq!(lists(&[&["role:a"]]), role("a"));
    let both = Check::And(vec![role("a"), role("b")]);
    assert_eq!(lists(&[&["role:a", "role:b"], &["role:c"]]), Check::Or(vec![both, role("c")]));
}

fn holds(check: &str, identity: &Identity, target: &Target<'_>) -> bool {
    Policy::default().takes(&check.parse().unwrap(), identity, target, 0)
}

#[test]
fn checks_hold_as_oslo_policy_holds_them() {
    let identity = Identity {
        user: "u:p".into(),
        user_id: Some("u".into()),
        project_id: Some("p".into()),
        roles: vec!["Member".into(), "reader".into()],
        ..Identity::default()
    };
    let target =
        Target::Anything(&[("project_id", "p"), ("name", "Reader"), ("up", "True"), ("share", "50%")]);
    for (check, wanted) in [
        ("project_id:%(project_id)s", true),
        ("project_id:%(other)s", false),
        ("user_id:u", true),
        ("domain_id:None", false),
        ("roles:Member", true),
        ("roles:member", false),
        ("role:MEMBER", true),
        ("role:%(name)s", true),
        ("nobody:u", false),
        ("True:%(up)s", true),
        ("'50%%':%(share)s", false),
        ("'50%':%(share)s", true),
        ("not role:member", false),
        ("rule:admin_or_creator", false),
        ("rule:not_there", false),
        ("not rule:not_there", true),
    ] {
        assert_eq!(holds(check, &identity, &target), wanted, "{check}");
    }
}

/// Checks of all kinds, with the text that oslo.policy writes them as.
fn checks() -> impl Strategy<Value = Check> {
    let leaf = prop_oneof![
        Just(Check::Always),
        Just(Check::Never),
        "[a-z]{1,4}".prop_map(|name| role(&name)),
        "[a-z]{1,4}".prop_map(Check::Rule),
        ("(user|project)_id", "(%\\([a-z.]{1,4}\\)s|[a-z]{0,3}|%%){0,3}")
            .prop_map(|(name, text)| a_match(&name, &text)),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|check| Check::Not(Box::new(check))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Check::And),
            prop::collection::vec(inner, 2..4).prop_map(Check::Or),
        ]
    })
}

fn written(check: &Check) -> String {
    let all =
        |checks: &[Check], word| format!("({})", checks.iter().map(written).collect::<Vec<_>>().join(word));
    match check {
        Check::Always => "@".into(),
        Check::Never => "!".into(),
        Check::Role(name) => format!("role:{}", name.written()),
        Check::Rule(name) => format!("rule:{name}"),
        Check::Match(name, text) => format!("{name}:{}", text.written()),
        Check::Same(name, text) => format!("'{name}':{}", text.written()),
        Check::Not(check) => format!("not {}", written(check)),
        Check::And(checks) => all(checks, " and "),
        Check::Or(checks) => all(checks, " or "),
    }
}

proptest! {
    #[test]
    fn a_check_is_read_as_it_was_written(check in checks()) {
        prop_assert_eq!(written(&check).parse(), Ok(check));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(role:a|not |and |or |[(]|[)]|%[(]|['\"%@!:é ])*") {
        if let Ok(check) = text.parse::<Check>() {
            Policy::default().takes(&check, &Identity::default(), &Target::Nothing, 0);
        }
    }
}
