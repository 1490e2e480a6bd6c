# Prepares the empty database of a Redmine for tests: tables, default data in one language, people and their keys.
# Run inside Redmine by `rails runner`; tests/redmine_server.py writes the file that is named in PEOPLE.

require 'json'

ActiveRecord::Migration.verbose = false
ActiveRecord::MigrationContext.new(Rails.root.join('db', 'migrate').to_s, ActiveRecord::SchemaMigration).migrate
ActiveRecord::Base.descendants.each { |model| model.reset_column_information unless model.abstract_class? }

language = ENV.fetch('REDMINE_LANG')
Redmine::DefaultData::Loader.load(language)
Setting.default_language = language
Setting.rest_api_enabled = '1'
Setting.text_formatting = ENV.fetch('TEXT_FORMATTING')
Setting.issues_export_limit = '3' # so that every listing meets it

spare = Tracker.new(name: 'Notiz', default_status: IssueStatus.sorted.first, core_fields: %w[description due_date])
spare.save!

stock = Project.new(name: 'Stamm', identifier: 'stamm')
stock.enabled_module_names = %w[issue_tracking]
stock.is_public = false
stock.trackers = Tracker.sorted.to_a
stock.save!

# People: login => [position of the role in Redmine's default data or null, key]
JSON.parse(File.read(ENV.fetch('PEOPLE'))).each do |login, (position, key)|
  person = User.find_by_login(login) || User.new(firstname: login.capitalize, lastname: 'Test', mail: "#{login}@example.org")
  person.login = login
  person.language = language
  person.mail_notification = 'none'
  person.must_change_passwd = false
  person.password = person.password_confirmation = SecureRandom.hex(16)
  person.save!
  person.api_key # makes the token
  Token.where(user_id: person.id, action: 'api').update_all(value: key)
  role = position && Role.givable.find_by(position: position)
  Member.create!(principal: person, project: stock, roles: [role]) if role
end
