//! A root module with many instances of one module, as people write them: typed inputs with optional attributes, merged
//! tags, a policy document, dynamic blocks, and outputs that the root reads.

/// How many resources an instance of the module has.
pub(crate) const RESOURCES: usize = 5;

/// The root module's file, with `instances` instances of `./team`; at most 1,000.
pub(crate) fn root(instances: usize) -> String {
    ROOT.replace('@', &instances.to_string())
}

const ROOT: &str = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.100" }
  }
}

variable "environment" {
  type    = string
  default = "prod"
}

provider "aws" {
  region = local.region
  default_tags {
    tags = { environment = var.environment }
  }
}

locals {
  region = "eu-central-1"
  tags   = { owner = "ml-platform", purpose = "training", "data-classification" = "confidential" }
  teams = {
    for n in range(@) : "team-${n}" => {
      size   = n % 2 == 0 ? "ml.t3.medium" : "ml.t3.large"
      opened = n % 3 == 0 ? ["10.${n % 250}.0.0/16"] : []
    }
  }
}

resource "aws_kms_key" "data" {
  description         = "data of all teams"
  enable_key_rotation = true
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/8"
}

resource "aws_subnet" "main" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.1.0.0/16"
}

module "team" {
  source   = "./team"
  for_each = local.teams

  name        = each.key
  environment = var.environment
  kms_key_arn = aws_kms_key.data.arn
  network     = { vpc_id = aws_vpc.main.id, subnet_id = aws_subnet.main.id }
  notebook    = { instance_type = each.value.size }
  opened      = each.value.opened
  tags        = merge(local.tags, { team = each.key })
}

resource "aws_iam_policy" "audit" {
  name = "audit"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetBucketLogging", "s3:ListBucket"]
      Resource = [for team in module.team : team.bucket_arn]
    }]
  })
}
"#;

/// The file of the module.
pub(crate) const TEAM: &str = r#"
variable "name" {
  type = string
}

variable "environment" {
  type = string
}

variable "kms_key_arn" {
  type = string
}

variable "network" {
  type = object({
    vpc_id    = string
    subnet_id = string
    endpoints = optional(list(string), [])
  })
}

variable "notebook" {
  type = object({
    instance_type = optional(string, "ml.t3.medium")
    volume_size   = optional(number, 20)
    root_access   = optional(bool, false)
    lifecycle     = optional(object({ on_start = optional(string), on_create = optional(string) }), {})
  })
  default = {}
}

variable "opened" {
  type    = list(string)
  default = []
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  prefix      = "${var.environment}-${var.name}"
  bucket_name = lower("${local.prefix}-data")
  tags        = merge(var.tags, { module = "team", "system-id" = local.prefix })
  actions     = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
  rules = concat(
    [{ port = 443, cidrs = ["10.0.0.0/8"], description = "inside" }],
    [for cidr in var.opened : { port = 8443, cidrs = [cidr], description = "opened for ${var.name}" }],
  )
}

resource "aws_s3_bucket" "data" {
  bucket = local.bucket_name
  tags   = merge(local.tags, { content = "training data" })
}

resource "aws_s3_bucket_server_side_encryption_configuration" "data" {
  bucket = aws_s3_bucket.data.id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_security_group" "notebook" {
  name        = "${local.prefix}-notebook"
  description = "notebooks of ${var.name}"
  vpc_id      = var.network.vpc_id
  tags        = local.tags

  dynamic "ingress" {
    for_each = local.rules
    content {
      description = ingress.value.description
      from_port   = ingress.value.port
      to_port     = ingress.value.port
      protocol    = "tcp"
      cidr_blocks = ingress.value.cidrs
    }
  }
  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_iam_role" "notebook" {
  name = "${local.prefix}-notebook"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
  inline_policy {
    name = "data"
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [
        { Sid = "Data", Effect = "Allow", Action = local.actions, Resource = "arn:aws:s3:::${local.bucket_name}/*" },
        { Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt"], Resource = var.kms_key_arn },
      ]
    })
  }
  tags = local.tags
}

resource "aws_sagemaker_notebook_instance" "lab" {
  name                   = "${local.prefix}-lab"
  role_arn               = aws_iam_role.notebook.arn
  instance_type          = var.notebook.instance_type
  volume_size            = var.notebook.volume_size
  root_access            = var.notebook.root_access ? "Enabled" : "Disabled"
  direct_internet_access = "Disabled"
  subnet_id              = var.network.subnet_id
  security_groups        = [aws_security_group.notebook.id]
  kms_key_id             = var.kms_key_arn
  tags                   = merge(local.tags, { content = "notebook" })
}

output "bucket_arn" {
  value = aws_s3_bucket.data.arn
}

output "role_arn" {
  value = aws_iam_role.notebook.arn
}
"#;
