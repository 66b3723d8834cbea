"""Whether an infrastructure repository breaks a vendor's connection: another question than whether a project is ready.

`tasks` says which projects are judged and by what, `judging` judges one, `ignoring` heeds what the repository wants
left out of account, `repository` does all of it in order.
"""
