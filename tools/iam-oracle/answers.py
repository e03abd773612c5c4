"""Writes fixtures/iam: what libraries answer to the questions. See README.md."""

import collections
import collections.abc
import json
import os
import subprocess
import sys
from pathlib import Path

import questions

# The evaluator of Principal Mapper was written for Python 3.9.
for name in ("Mapping", "MutableMapping"):
    setattr(collections, name, getattr(collections.abc, name))

import parliament  # noqa: E402
from cloudsplaining.scan.policy_document import PolicyDocument  # noqa: E402
from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS  # noqa: E402
from moto.iam.access_control import IAMPolicy, PermissionResult  # noqa: E402
from policy_sentry.analysis.expand import expand as sentry_expand  # noqa: E402
from policy_sentry.querying.actions import get_actions_for_service  # noqa: E402
from policyuniverse.expander_minimizer import _expand as universe_expand  # noqa: E402
from policyuniverse.expander_minimizer import all_permissions  # noqa: E402
from principalmapper.common import Node, Policy  # noqa: E402
from principalmapper.querying.query_interface import local_check_authorization_full  # noqa: E402
from principalmapper.util.case_insensitive_dict import CaseInsensitiveDict  # noqa: E402

HERE = Path(__file__).resolve().parent
OUT = HERE.parent.parent / "fixtures" / "iam"


def write(name, lines):
    OUT.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, separators=(",", ":"), sort_keys=True) + "\n" for line in lines)
    (OUT / name).write_text(text)
    print(f"{name}: {len(lines)} lines", file=sys.stderr)


def simulate(cases):
    node = subprocess.run(
        ["node", HERE / "simulate.mjs"],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        cwd=os.environ.get("IAM_ORACLE_NODE", "."),
    )
    return json.loads(node.stdout)


def mapper(case, principal, action, resource, context):
    """Principal Mapper: every kind of policy, conditions of one value."""
    if any(isinstance(value, list) for value in context.values()):
        return "-"
    policies = [Policy(f"arn:{at}", f"p{at}", policy) for at, policy in enumerate(case["identity"])]
    boundary = Policy("arn:b", "b", case["boundary"]) if "boundary" in case else None
    is_role = ":role/" in principal
    node = Node(principal, "ID", policies, [], {} if is_role else None, [] if is_role else None, 0, False, False, boundary, False, {})
    scps = [[Policy(f"arn:s{at}", f"s{at}", policy) for at, policy in enumerate(case["organisation"])]] if "organisation" in case else None
    try:
        answer = local_check_authorization_full(
            node,
            action,
            resource,
            CaseInsensitiveDict(context),
            case.get("resource"),
            questions.ACCOUNT if "resource" in case else None,
            scps,
            case.get("session"),
        )
    except Exception as error:  # what it cannot do is no answer
        print(f"pmapper: {type(error).__name__}: {error}"[:160], file=sys.stderr)
        return "-"
    return "a" if answer else "d"


def moto(case, action, resource):
    """Moto: the policies of an identity, without conditions."""
    if set(case) - {"identity", "requests"}:
        return "-"
    permitted = False
    try:
        for policy in case["identity"]:
            answer = IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)
            if answer == PermissionResult.DENIED:
                return "d"
            permitted |= answer == PermissionResult.PERMITTED
    except Exception as error:
        print(f"moto: {type(error).__name__}: {error}"[:160], file=sys.stderr)
        return "-"
    return "a" if permitted else "d"


def decisions():
    cases = questions.cases()
    words = {"Allowed": "a", "ImplicitlyDenied": "d", "ExplicitlyDenied": "x"}
    lines = []
    for case, answers in zip(cases, simulate(cases)):
        asked = []
        for (principal, action, resource, context), answer in zip(case["requests"], answers):
            if answer not in words:
                print(answer[:200], file=sys.stderr)
            told = [words.get(answer, "-"), mapper(case, principal, action, resource, context), moto(case, action, resource)]
            asked.append([principal.rsplit("/")[-1], action, resource, context, "".join(told)])
        lines.append({**{key: value for key, value in case.items() if key != "requests"}, "asked": asked})
    write("decisions.jsonl", lines)


def ranges(indexes):
    out = []
    for index in sorted(indexes):
        if out and out[-1][1] == index - 1:
            out[-1][1] = index
        else:
            out.append([index, index])
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in out)


def expansion():
    """Which actions a pattern covers, by policy_sentry, policyuniverse and parliament, each of those that it knows."""
    fixed, services, maker = questions.action_patterns()
    sentry = {action.lower() for service in services for action in get_actions_for_service(service)}
    universe = {action for action in all_permissions if action.split(":")[0] in services}
    law = {
        f"{service['prefix']}:{privilege['privilege']}".lower()
        for service in parliament.iam_definition
        if service["prefix"] in services
        for privilege in service["privileges"]
    }
    every = sorted(sentry | universe | law)
    place = {action: at for at, action in enumerate(every)}
    known = {"policy_sentry": sentry, "policyuniverse": universe, "parliament": law}
    lines = [{"actions": every, **{name: ranges(place[it] for it in of) for name, of in known.items()}}]
    patterns = list(fixed)
    while len(patterns) < 300:
        action = maker.pick(every)
        patterns.append(maker.wild(action, action.index(":") + 1 if not maker.one_in(8) else 0))
    for pattern in dict.fromkeys(patterns):
        answer = {"pattern": pattern}
        asks = {
            "policy_sentry": lambda: sentry_expand(pattern),
            "policyuniverse": lambda: universe_expand(pattern),
            "parliament": lambda: [f"{it['service']}:{it['action']}" for it in parliament.expand_action(pattern, False)],
        }
        for name, ask in asks.items():
            try:
                covered = {action.lower() for action in ask()}
            except Exception as error:
                print(f"{name} {pattern}: {error}"[:160], file=sys.stderr)
                continue
            answer[name] = ranges(place[it] for it in covered if it in known[name])
        lines.append(answer)
    write("expansion.jsonl", lines)


def overlaps():
    lines = []
    for a, b in questions.overlaps():
        # Of `?` it knows nothing.
        answer = parliament.is_glob_match(a, b) if "?" not in a + b and a.count("*") + b.count("*") < 7 else None
        if answer is not None:
            lines.append([a, b, answer])
    write("overlaps.jsonl", lines)


def escalations():
    """Policies with pieces of escalations, and the ways that cloudsplaining finds in each."""
    maker = questions.grants()
    methods = {name: actions for name, actions in PRIVILEGE_ESCALATION_METHODS.items()}
    lines = [{"methods": methods}]
    for _ in range(240):
        actions = []
        for _ in range(1 + maker.chance.randrange(3)):
            of = list(maker.pick(list(methods.values())))
            if maker.one_in(3):
                of.pop(maker.chance.randrange(len(of)))
            actions += of
        actions = [maker.wild(it, it.index(":") + 4) if maker.one_in(9) else it for it in dict.fromkeys(actions)]
        statements = []
        while actions:
            size = 1 + maker.chance.randrange(len(actions))
            statements.append({"Effect": "Allow", "Action": actions[:size], "Resource": "*" if not maker.one_in(9) else f"arn:aws:iam::{questions.ACCOUNT}:role/one"})
            actions = actions[size:]
        if maker.one_in(5):
            gone = maker.pick([it for of in methods.values() for it in of])
            statements.append({"Effect": "Deny", "Action": gone, "Resource": "*"})
        policy = {"Version": "2012-10-17", "Statement": statements}
        found = sorted(it["type"] for it in PolicyDocument(policy).allows_privilege_escalation)
        lines.append({"policy": policy, "found": found})
    write("escalations.jsonl", lines)


if __name__ == "__main__":
    for part in sys.argv[1:] or ["decisions", "expansion", "overlaps", "escalations"]:
        globals()[part]()
