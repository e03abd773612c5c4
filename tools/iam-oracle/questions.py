"""Questions about policies, made by chance and the same each time: for the libraries, and for airgate."""

import random

ACCOUNT = "111122223333"
OTHER = "999988887777"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/agent"
USER = f"arn:aws:iam::{ACCOUNT}:user/eve"

# Action -> ARNs that it is done to. Services that look alike stand beside each other.
ACTIONS = {
    "bedrock:InvokeModel": [
        "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    ],
    "bedrock:DeleteGuardrail": [f"arn:aws:bedrock:eu-central-1:{ACCOUNT}:guardrail/abcd1234"],
    "bedrock:GetAgent": [f"arn:aws:bedrock:eu-central-1:{ACCOUNT}:agent/AGENT1"],
    "bedrock-agentcore:InvokeAgentRuntime": [f"arn:aws:bedrock-agentcore:eu-central-1:{ACCOUNT}:runtime/r1"],
    "sagemaker:InvokeEndpoint": [f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:endpoint/chat"],
    "sagemaker:CreateTrainingJob": [f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:training-job/t1"],
    "s3:GetObject": [
        "arn:aws:s3:::data/raw/x.json",
        "arn:aws:s3:::data-eu/eve/x.json",
        "arn:aws-cn:s3:::data/raw/x.json",
    ],
    "s3:ListBucket": ["arn:aws:s3:::data", "arn:aws-us-gov:s3:::data"],
    "s3express:CreateSession": [f"arn:aws:s3express:eu-central-1:{ACCOUNT}:bucket/data--euc1-az1--x-s3"],
    "iam:PassRole": [f"arn:aws:iam::{ACCOUNT}:role/agent", f"arn:aws:iam::{ACCOUNT}:role/path/other"],
    "comprehend:CreateDocumentClassifier": [f"arn:aws:comprehend:eu-central-1:{ACCOUNT}:document-classifier/c"],
    "lambda:InvokeFunction": [f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:tool"],
    "secretsmanager:GetSecretValue": [f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:key-AbCdEf"],
    "dynamodb:GetItem": [f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/memory"],
}

# Key -> values that a request may have; a list of lists for keys with several values.
KEYS = {
    "aws:SourceIp": ["10.1.2.3", "203.0.113.9"],
    "aws:RequestedRegion": ["eu-central-1", "us-east-1"],
    "aws:MultiFactorAuthPresent": ["true", "false"],
    "aws:PrincipalOrgID": ["o-abc", "o-xyz"],
    "aws:CurrentTime": ["2026-03-01T00:00:00Z", "2027-06-30T12:00:00Z"],
    "bedrock:GuardrailIdentifier": [f"arn:aws:bedrock:eu-central-1:{ACCOUNT}:guardrail/abcd1234"],
    "iam:PassedToService": ["sagemaker.amazonaws.com", "bedrock.amazonaws.com"],
    "s3:max-keys": ["10", "500"],
    "aws:PrincipalTag/team": ["ml", "web"],
    "aws:username": ["eve", "adam"],
    "aws:TagKeys": [["team"], ["team", "cost"], ["x"]],
}

TESTS = {
    "aws:SourceIp": (["IpAddress", "NotIpAddress", "IpAddressIfExists"], ["10.0.0.0/8", "203.0.113.9/32", "0.0.0.0/0"]),
    "aws:RequestedRegion": (["StringEquals", "StringNotEquals", "StringLike"], ["eu-*", "eu-central-1", "us-east-1"]),
    "aws:MultiFactorAuthPresent": (["Bool", "BoolIfExists", "Null"], ["true", "false"]),
    "aws:PrincipalOrgID": (["StringEquals", "StringEqualsIfExists", "StringNotEqualsIfExists", "StringEqualsIgnoreCase"], ["o-abc", "O-ABC", "${aws:username}"]),
    "aws:CurrentTime": (["DateGreaterThan", "DateLessThan", "DateLessThanEquals"], ["2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
    "bedrock:GuardrailIdentifier": (["ArnLike", "ArnEquals", "ArnNotLike", "StringEquals", "Null", "StringNotLikeIfExists"], ["arn:aws:bedrock:*:*:guardrail/*", f"arn:aws:bedrock:eu-central-1:{ACCOUNT}:guardrail/abcd1234", "true", "false"]),
    "iam:PassedToService": (["StringEquals", "StringLike", "StringNotLike"], ["sagemaker.amazonaws.com", "*.amazonaws.com", "bedrock*"]),
    "s3:max-keys": (["NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericEquals", "NumericNotEquals"], ["10", "100"]),
    "aws:PrincipalTag/team": (["StringEquals", "StringLike", "StringNotEquals"], ["ml", "m*", "${aws:username}"]),
    "aws:TagKeys": (["ForAllValues:StringEquals", "ForAnyValue:StringEquals", "ForAllValues:StringNotLike", "ForAnyValue:StringLikeIfExists"], ["team", "cost", "c*"]),
}


class Maker:
    def __init__(self, seed):
        self.chance = random.Random(seed)

    def one_in(self, n):
        return self.chance.randrange(n) == 0

    def pick(self, of):
        return of[self.chance.randrange(len(of))]

    def some(self, make, most):
        made = [make() for _ in range(1 + self.chance.randrange(most))]
        return made[0] if len(made) == 1 and self.one_in(2) else made

    def wild(self, text, keep=0):
        """`text` with wildcards in place of some of it, but not of what `keep` begins with."""
        at = keep + self.chance.randrange(max(1, len(text) - keep))
        end = at + self.chance.randrange(max(1, len(text) - at + 1))
        return self.pick(
            [
                text[:at] + "*",
                text[:at] + "*" + text[end:],
                text[:at] + "?" + text[at + 1 :],
                text[:at] + "**" + text[end:],
                text[:keep] + "*" + text[end:],
            ]
        )

    def action(self):
        action = self.pick(list(ACTIONS))
        service = action.index(":") + 1
        return self.pick(
            [
                "*",
                action,
                action.upper() if self.one_in(2) else action.lower(),
                action[:service] + "*",
                self.wild(action, service),
                self.wild(action, service),
                action[:service] + "Get*",
            ]
        )

    def arn(self):
        arn = self.pick(self.pick(list(ACTIONS.values())))
        parts = arn.split(":", 5)
        at = 1 + self.chance.randrange(4)
        starred = ":".join("*" if number == at else part for number, part in enumerate(parts))
        name = arn.rindex(":", 0, len(arn)) + 1
        return self.pick(
            [
                "*",
                arn,
                starred,
                self.wild(arn, len(arn) - len(parts[5])),
                self.wild(arn, len(arn) - len(parts[5])),
                self.wild(arn, 4) if self.one_in(3) else arn,
                arn[:name] + "*",
                ":".join(parts[: 3 + self.chance.randrange(2)]) if self.one_in(3) else arn,
                "arn:aws:s3:::data-eu/${aws:username}/*",
                "arn:aws:s3:::data-eu/${aws:username, 'eve'}/*" if self.one_in(2) else starred,
            ]
        )

    def condition(self):
        block = {}
        for _ in range(1 + self.chance.randrange(2)):
            key = self.pick(list(TESTS))
            operators, values = TESTS[key]
            operator = self.pick(operators)
            if operator.startswith("Arn"):
                values = [value for value in values if value.startswith("arn:")]
            chosen = self.pick(["true", "false"]) if operator == "Null" else self.pick(values)
            if operator != "Null" and self.one_in(4):
                chosen = [chosen, self.pick(values)]
            if self.one_in(6):
                key = key.upper() if self.one_in(2) else key.lower()
            block.setdefault(operator, {})[key] = chosen
        return block

    def statement(self, deny=3, principal=False, plain=False):
        statement = {"Effect": "Deny" if self.one_in(deny) else "Allow"}
        if principal:
            kind = self.pick(["Principal"] * 5 + ["NotPrincipal"])
            if kind == "NotPrincipal":
                statement["Effect"] = "Deny"
            who = [ROLE, USER, f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER}:root", ACCOUNT]
            named = self.pick(who)
            if kind == "NotPrincipal":
                # The account has to be named beside whom it excepts.
                named = [f"arn:aws:iam::{ACCOUNT}:root", self.pick([ROLE, USER])]
            statement[kind] = self.pick(["*", {"AWS": "*"}]) if kind == "Principal" and self.one_in(5) else {"AWS": named}
        not_action = not plain and self.one_in(6)
        statement["NotAction" if not_action else "Action"] = self.some(self.action, 3)
        not_resource = not plain and self.one_in(7)
        statement["NotResource" if not_resource else "Resource"] = self.some(self.arn, 3)
        if not plain and self.one_in(3):
            statement["Condition"] = self.condition()
        return statement

    def policy(self, most=3, **how):
        statements = [self.statement(**how) for _ in range(1 + self.chance.randrange(most))]
        return {"Version": "2012-10-17", "Statement": statements[0] if len(statements) == 1 and self.one_in(3) else statements}

    def wide(self):
        """An allow of much, so that the others have something to take away."""
        resource = "*" if self.one_in(2) else ["arn:aws*:*:*:*:*", "arn:aws:s3:::*"]
        return {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": self.pick(["*", "bedrock:*", "s3:*"]), "Resource": resource}}

    def context(self):
        keys = [key for key in KEYS if self.one_in(2)]
        return {key: self.pick(KEYS[key]) for key in keys}

    def case(self, plain=False):
        case = {"identity": [self.policy(plain=plain) for _ in range(1 + self.chance.randrange(2))]}
        if self.one_in(2):
            case["identity"].append(self.wide())
        if not plain:
            if self.one_in(4):
                case["boundary"] = self.policy(deny=6)
            if self.one_in(6):
                case["session"] = self.policy(deny=6)
            if self.one_in(3):
                case["resource"] = self.policy(most=2, principal=True)
            if self.one_in(4):
                full = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
                case["organisation"] = [full, self.policy(deny=1)]
        principals = [ROLE] if "session" in case else [ROLE, USER]
        requests = []
        for _ in range(8):
            action = self.pick(list(ACTIONS))
            context = {} if plain else self.context()
            requests.append([self.pick(principals), action, self.pick(ACTIONS[action]), context])
        return {**case, "requests": requests}


def cases():
    maker = Maker(20261121)
    return [maker.case(plain=number % 4 == 0) for number in range(300)]


def action_patterns():
    maker = Maker(6)
    fixed = ["*", "bedrock:*", "bedrock-agentcore:*", "bedrock-mantle:*", "sagemaker:*", "comprehend:*", "bedrock:invoke*", "BEDROCK:Invoke*", "bedrock:*guardrail*", "bedrock:?nvokeModel", "sagemaker:*Model*", "s3:*Object", "lex:*", "q:*", "kendra:*"]
    services = ["bedrock", "bedrock-agentcore", "sagemaker", "comprehend", "comprehendmedical", "kendra", "lex", "qbusiness", "q", "s3", "iam", "kms"]
    return fixed, services, maker


def overlaps():
    """Pairs of patterns: do they have a text in common?"""
    maker = Maker(7)
    out = []
    while len(out) < 800:
        a, b = (maker.arn() if maker.one_in(2) else maker.action() for _ in "ab")
        if maker.one_in(2):
            seed = maker.pick(maker.pick(list(ACTIONS.values())))
            a, b = maker.wild(seed, 13), maker.wild(seed, 13)
        if "$" not in a + b:
            out.append([a, b])
    return out


def grants():
    """Policies with pieces of escalations in them."""
    maker = Maker(8)
    return maker
