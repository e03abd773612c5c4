//! What the types of resources are to AI scope: told once of each type, since scope looks at every end of every edge.

use super::iam::google;

/// What a type is to AI scope: several of these.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class(u16);

impl Class {
    /// What runs code of the user, or gives a role to its visitors: it may call AI.
    pub(super) const CALLER: Self = Self(1);
    /// What brings requests to code, and configures the API or balancer that it names in another attribute.
    pub(super) const FRONT: Self = Self(1 << 1);
    /// What attaches a policy to an identity, or gives it a role.
    pub(super) const GRANT: Self = Self(1 << 2);
    /// What says what may be done, for others to attach.
    pub(super) const POLICY: Self = Self(1 << 3);
    /// What a role that an AI service acts as reads and writes where its policies name it: jobs that nobody declares begin
    /// there.
    pub(super) const STORE: Self = Self(1 << 4);
    /// The identities that policies are attached to.
    pub(super) const ROLE: Self = Self(1 << 5);
    /// As what workloads of Azure and Google run.
    pub(super) const IDENTITY: Self = Self(1 << 6);
    /// Who is given what grants grant.
    pub(super) const GRANTEE: Self = Self(1 << 7);
    /// By what a machine acts as a role.
    pub(super) const PROFILE: Self = Self(1 << 8);
    /// What machines are made by.
    pub(super) const TEMPLATE: Self = Self(1 << 9);
    /// To what a balancer brings requests.
    pub(super) const TARGETS: Self = Self(1 << 10);

    /// That of a type.
    pub(super) fn of(type_name: &str) -> Self {
        let tables: [(Self, &[&str]); 9] = [
            (Self::CALLER, &CALLERS),
            (Self::FRONT, &FRONTS),
            (Self::GRANT, &GRANTS),
            (Self::POLICY, &["aws_iam_policy", "azurerm_role_definition"]),
            (Self::STORE, &["aws_dynamodb_table", "aws_ecr_repository", "aws_s3_bucket"]),
            (Self::ROLE, &["aws_iam_role"]),
            (Self::IDENTITY, &["azurerm_user_assigned_identity", "google_service_account"]),
            (Self::GRANTEE, &["aws_iam_role", "aws_iam_user", "google_service_account"]),
            (Self::PROFILE, &["aws_iam_instance_profile"]),
        ];
        let mut class = Self::default();
        for (of, types) in tables {
            class.add(of, types.contains(&type_name));
        }
        class.add(Self::TEMPLATE, type_name == "aws_launch_template");
        class.add(Self::TARGETS, type_name == "aws_lb_target_group");
        class.add(Self::GRANT, google::is_grant(type_name));
        class.add(Self::GRANTEE, type_name.starts_with("azurerm_"));
        class
    }

    const fn add(&mut self, other: Self, is_it: bool) {
        if is_it {
            self.0 |= other.0;
        }
    }

    /// Whether it is one of these.
    pub(super) const fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// [`Class::CALLER`]
const CALLERS: [&str; 42] = [
    "aws_apprunner_service",
    "aws_batch_job_definition",
    "aws_bedrockagent_agent_action_group",
    "aws_codebuild_project",
    "aws_codepipeline",
    "aws_cognito_identity_pool_roles_attachment",
    "aws_ecs_task_definition",
    "aws_eks_pod_identity_association",
    "aws_glue_job",
    "aws_iam_instance_profile",
    "aws_instance",
    "aws_lambda_function",
    "aws_launch_template",
    "aws_mwaa_environment",
    "aws_sfn_state_machine",
    "azurerm_container_app",
    "azurerm_container_group",
    "azurerm_data_factory",
    "azurerm_federated_identity_credential",
    "azurerm_function_app_flex_consumption",
    "azurerm_kubernetes_cluster",
    "azurerm_linux_function_app",
    "azurerm_linux_virtual_machine",
    "azurerm_linux_virtual_machine_scale_set",
    "azurerm_linux_web_app",
    "azurerm_logic_app_standard",
    "azurerm_logic_app_workflow",
    "azurerm_machine_learning_compute_cluster",
    "azurerm_machine_learning_compute_instance",
    "azurerm_spring_cloud_app",
    "azurerm_windows_function_app",
    "azurerm_windows_virtual_machine",
    "azurerm_windows_virtual_machine_scale_set",
    "azurerm_windows_web_app",
    "google_cloud_run_service",
    "google_cloud_run_v2_job",
    "google_cloud_run_v2_service",
    "google_cloudfunctions2_function",
    "google_cloudfunctions_function",
    "google_compute_instance",
    "kubernetes_service_account",
    "kubernetes_service_account_v1",
];

/// [`Class::FRONT`]
const FRONTS: [&str; 5] = [
    "aws_api_gateway_integration",
    "aws_apigatewayv2_integration",
    "aws_lb_listener",
    "aws_lb_listener_rule",
    "aws_lb_target_group_attachment",
];

/// [`Class::GRANT`], and those of Google.
const GRANTS: [&str; 8] = [
    "aws_iam_policy_attachment",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_user_policy",
    "aws_iam_user_policy_attachment",
    "azurerm_pim_active_role_assignment",
    "azurerm_pim_eligible_role_assignment",
    "azurerm_role_assignment",
];
