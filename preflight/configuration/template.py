"""The file that `preflight config init` writes."""

TEMPLATE = """\
# What preflight checks in this repository: preflight check. Lines that begin with # and no space are examples.
# Which keys there are: preflight schema config. What is in force, and from where: preflight config show

# Each project that this repository makes ready for a vendor, by its ID.
#[projects.acme-analytics]
#profile = "heap"              # the vendor: preflight profiles list
#dataset = "heap_production"   # where the vendor is to write
#location = "EU"
#principal = "serviceAccount:other@vendor.iam.gserviceaccount.com"  # if it is not the profile's
#
# What this repository alone decides. Of these parts, what it doesn't declare isn't there: that a line is removed
# is seen only so. The others are left to: preflight run
#owns = ["project", "billing", "api", "iam", "dataset"]
#
# The root modules that declare the project; without this all of them may.
#roots = ["envs/production"]
#
# Rules that are left out for good, each with the reason. They may also stand in a [skip] table for all projects.
#[projects.acme-analytics.skip]
#dataset-expiration = "the data is wanted for a month only"

# The root modules, if they are not to be looked for, and what each is applied with. One that is applied several
# times, with different variables, is listed several times.
#[[roots]]
#path = "envs/production"
#var-files = ["envs/production.tfvars"]
#vars = { region = "EU" }
#workspace = "default"
"""
